"""What a Chinese message owes to its English source, and to the reader: each fault in a sentence.

Code, formulas, links, roles, citations and numbers are those of the source; a term is the
glossary's; punctuation has full width; Chinese and Latin stand apart by a space.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

PARSER = MarkdownIt("commonmark").use(dollarmath_plugin, double_inline=True).use(myst_role_plugin)
# These are words for a reader, and no Markdown.
PLAIN = {"alt text", "line of a folded cell", "words in a formula", "without scripts"}

HAN = r"[\u3400-\u9fff]"
FULL = "，。、；：？！（）“”‘’《》…"
# In place of code and formulas, which stand beside Chinese as Latin words do, and of citations.
LATIN, NOTHING = "\ue000", "\ue001"
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
TARGET = re.compile(r"(.*?)\s*<([^<>]+)>$", re.DOTALL)
FAULTS = {
    rf"{HAN}[,.;:?!]|[,.;:?!]{HAN}": "half-width punctuation beside Chinese",
    rf"{HAN}[ ]?[()]|[()][ ]?{HAN}": "half-width brackets beside Chinese: （）",
    rf"{HAN}[\"']|[\"']{HAN}": "half-width quotation marks beside Chinese: “”",
    rf"[ ][{FULL}]|[{FULL}][ ]": "a space beside full-width punctuation",
    rf"{HAN}[A-Za-z0-9{LATIN}]": "no space between Chinese and Latin, a number, code or a formula",
    rf"[A-Za-z0-9%{LATIN}]{HAN}": "no space between Latin, a number, code or a formula and Chinese",
    rf"{HAN}[ ]+{HAN}": "a space between two Chinese characters",
    r"  ": "two spaces",
    r"[！!](?!\[)": "an exclamation mark",
    r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u3000]": "a full-width digit, letter or space",
    r"[「」『』]": "quotation marks that simplified Chinese does not have: “”",
    rf"{HAN}\s?--?\s?{HAN}|(?<!—)—(?!—)": "a dash that is not ——",
}
# Words for which the glossary has another.
AVOID = {
    "潜在变量": "潜变量",
    "隐变量": "潜变量",
    "隐空间": "潜空间",
    "潜在空间": "潜空间",
    "后验崩塌": "后验坍缩",
    "后验塌缩": "后验坍缩",
    "重参数技巧": "重参数化技巧",
    "再参数化": "重参数化",
    "检索库": "图库",
    "描述符": "描述子",
    "平均精度均值均值": "平均精度均值",
    "变分自动编码器": "变分自编码器",
    "自动编码器": "自编码器",
}


@dataclass
class Said:
    """What a message holds, counted, and its words as a reader sees them."""

    parts: dict[str, Counter] = field(default_factory=dict)
    terms: Counter = field(default_factory=Counter)
    text: str = ""

    def count(self, kind: str, what: str) -> None:
        self.parts.setdefault(kind, Counter())[what] += 1


def said(message: str, is_plain: bool = False) -> Said:
    found = Said()
    if is_plain:
        found.text = message
    else:
        for token in PARSER.parseInline(message)[0].children:
            read(token, found)
    for number in NUMBER.findall(found.text):
        found.count("number", number)
    for place in re.findall(r"\{\w+\}", found.text):
        found.count("place to fill", place)
    if "|" in message:
        found.parts["bar of a table"] = Counter({"|": len(re.findall(r"(?<!\\)\|", message))})
    return found


def read(token, found: Said) -> None:
    if token.type == "text":
        found.text += token.content
    elif token.type in ("softbreak", "hardbreak"):
        found.text += " "
    elif token.type == "code_inline":
        found.count("code", token.content)
        found.text += LATIN
    elif token.type.startswith("math_inline"):
        found.count("formula", token.content)
        found.text += LATIN
    elif token.type == "link_open":
        found.count("link", token.attrGet("href"))
    elif token.type == "image":
        found.count("picture", token.attrGet("src"))
        found.text += NOTHING
    elif token.type == "html_inline":
        found.count("HTML", token.content)
    elif token.type in ("strong_open", "em_open"):
        found.count("emphasis", token.markup)
    elif token.type == "myst_role":
        role(token.meta["name"], " ".join(token.content.split()), found)


def role(name: str, content: str, found: Said) -> None:
    titled = TARGET.match(content)
    shown, target = titled.groups() if titled else (content, content)
    if name == "term":
        found.terms[target] += 1
        found.text += shown
    elif titled and name in ("ref", "doc", "numref"):
        found.count("role", f"{{{name}}} to {target}")
        found.text += shown
    else:
        found.count("role", f"{{{name}}}`{content}`")
        found.text += NOTHING if name.startswith("cite") else LATIN


def faults(source: str, message: str, kind: str, terms: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with a message; ``terms`` gives each English term's Chinese."""
    plain = any(part in PLAIN for part in kind.split(", "))
    there, here = said(source, plain), said(message, plain)
    if message != message.strip() or "\n" in message:
        yield "a line break, or a space at an end"
    for part in sorted({*there.parts, *here.parts}):
        wanted = there.parts.get(part, Counter())
        got = here.parts.get(part, Counter())
        for what in wanted - got:
            yield f"{part} missing: {what}"
        for what in got - wanted:
            hint = "; a number in words stays in words: ten is 十" if part == "number" else ""
            yield f"{part} that the source lacks: {what}{hint}"
    yield from faults_of_terms(there.terms, here.terms, terms)
    if not plain:
        yield from faults_of_form(source, message, here)
    yield from faults_of_writing(source, here.text)


def faults_of_terms(there: Counter, here: Counter, terms: Mapping[str, str]) -> Iterator[str]:
    wanted = Counter()
    for term, times in there.items():
        if chinese := terms.get(term.casefold()):
            wanted[chinese.casefold()] += times
        else:
            yield f"the glossary has no Chinese for {{term}}`{term}`"
    got = Counter()
    for term, times in here.items():
        got[term.casefold()] += times
    for term in wanted - got:
        yield f"term missing: write {{term}}`{term}` or {{term}}`words <{term}>`"
    for term in got - wanted:
        yield f"term that the source does not name here: {term}"


def faults_of_form(source: str, message: str, here: Said) -> Iterator[str]:
    if "*" in here.text and "*" not in said(source).text:
        yield (
            "a * that ends no emphasis: Markdown wants no full-width punctuation inside of ** "
            "where Chinese follows; write **对**。 and not **对。**"
        )
    if set("`$") & set(here.text) - set(said(source).text):
        yield "a ` or $ without its partner"
    kinds = [[token.type for token in PARSER.parse(text)] for text in (source, message)]
    if kinds[0][:1] == ["paragraph_open"] and kinds[0] != kinds[1]:
        yield "it begins like a list, a heading, a table or a quotation"


def faults_of_writing(source: str, text: str) -> Iterator[str]:
    for pattern, fault in FAULTS.items():
        if found := re.search(pattern, text):
            around = text[max(0, found.start() - 6) : found.end() + 6]
            around = around.replace(LATIN, "◻").replace(NOTHING, "")
            yield f"{fault}: …{around}…"
    for character in sorted(set(re.findall(HAN, text))):
        if not is_simplified(character):
            yield f"a character that simplified Chinese does not have: {character}"
    for word, better in AVOID.items():
        if word in text and better not in text:
            yield f"{word}: the glossary has {better}"
    if len(re.findall(r"\b[a-z]{2,}\b", source)) > 3 and not re.search(HAN, text):
        yield "it is not Chinese"


def is_simplified(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True

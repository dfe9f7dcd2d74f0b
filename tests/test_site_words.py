"""What scripts, templates and extensions say: it can be translated, and is, by the rules."""

import re

import pytest
import site_words
from site_words import PLACE, ROOT, known_in, left_out, problems, sources, texts, translated
from translation_rules import LATIN, NOTHING, faults_of_writing

SCRIPTS = [path for path in sources() if path.suffix == ".js"]
LITERAL = re.compile(site_words.LITERAL)
# A literal that holds words and is not said to a reader: names of classes, what the console shows,
# what Python or a style reads.
SILENT = re.compile(
    r"strict|console\.|Error\(|class|KEYWORDS|CONSTANTS|BUILTINS|querySelector|closest\(|matches\("
    r"|BLOCKS|LINKS|LABELLED|IMPORT|runPython|pen\.font"
)
# What the library calls an answer, whatever the language.
STATES = {'"not yet right"', '"not attempted yet"', '"not checked yet"'}


# -- Texts ----------------------------------------------------------------------------------------


def test_a_text_is_read_with_what_is_put_into_it():
    assert list(texts('say(tr("One \\u2212 \\"two\\"."))')) == ['One \u2212 "two".']
    assert list(texts("tr(`${n} of ${all.length}, ${n}`)")) == ["{1} of {2}, {1}"]
    assert list(texts('tr(\n  `a ${x} ` +\n    "b",\n)')) == ["a {1} b"]
    assert list(texts('tr("part one, "\n   "part two")')) == ["part one, part two"]
    assert list(texts("tr(`all: ${names.join(tr(', '))}`)")) == ["all: {1}"]
    assert list(texts('tr(`all: ${names.join(tr(", "))}`)')) == ["all: {1}", ", "]


def test_what_is_put_in_can_stand_in_another_order():
    script = 'const say = tr(`number ${at + 1} of ${names.join(tr(", "))}`);'
    known = {"number {1} of {2}": "{2} 中的第 {1} 个", ", ": "、"}
    assert translated(script, known) == (
        'const say = tr(`${names.join(tr("、"))} 中的第 ${at + 1} 个`);'
    )
    assert translated('tr("no")', known) == 'tr("no")'
    assert translated('tr("a")', {"a": 'b "c" \\d'}) == r'tr("b \"c\" \\d")'


def test_a_call_without_a_text_is_noticed():
    assert left_out('tr(words) + tr("one")') == 1
    assert left_out('const tr = (words) => words; tr("one")') == 0


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_without_translations_a_script_says_the_same(path):
    source = path.read_text(encoding="utf-8")
    again = translated(source, {})
    assert list(texts(again)) == list(texts(source))
    assert len(re.sub(r"\s", "", again)) <= len(re.sub(r"\s", "", source))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_no_sentence_of_a_script_is_forgotten(path):
    source = path.read_text(encoding="utf-8")
    source = re.sub(r"^\s*//.*|(?<=[;,{]) // .*", "", source, flags=re.MULTILINE)
    source = re.sub(r"^ +claims: \{.*?^ +\},$", "", source, flags=re.MULTILINE | re.DOTALL)
    rest = site_words.CALL.sub("tr()", source)
    said = [
        literal
        for line in rest.splitlines()
        if not SILENT.search(line)
        for literal in LITERAL.findall(line)
        if re.search(r"(?<![\w$.-])[A-Za-z]{2,} [a-z]{2,}", re.sub(r"\$\{.*?\}", "", literal))
        and not re.search(r"live-|py-|journey-|bet-", literal)
        and literal not in STATES
    ]
    assert said == []


# -- Chinese --------------------------------------------------------------------------------------


def test_everything_is_translated():
    assert list(problems("zh_CN")) == []


def test_what_lacks_a_translation_is_noticed(monkeypatch, tmp_path):
    monkeypatch.setattr(site_words, "LOCALES", tmp_path)
    assert len(list(problems("zh_CN"))) > 250
    site_words.update("zh_CN")
    catalogue = tmp_path / "zh_CN" / "LC_MESSAGES" / "scripts.po"
    text = catalogue.read_text(encoding="utf-8")
    before = 'msgid "Rank {1}: a {2}"\nmsgstr ""'
    assert before in text
    catalogue.write_text(text.replace(before, before[:-1] + '{1}"'), encoding="utf-8")
    assert "other places than in 'Rank {1}: a {2}': '{1}'" in list(problems("zh_CN"))


def test_it_is_written_as_chinese_is():
    wrong = {}
    for source, said in known_in("zh_CN").items():
        # A number is put in, or words that are Chinese themselves.
        filled = PLACE.sub(lambda place: LATIN if place[1].isdigit() else NOTHING, said)
        filled = filled.replace("p(x)", LATIN)  # a formula
        if found := list(faults_of_writing(source, filled)):
            wrong[said] = found
    assert wrong == {}


def test_every_template_and_extension_is_read():
    names = {path.relative_to(ROOT).as_posix() for path in sources()}
    assert {"book/_templates/report.html", "tools/search_extension.py"} <= names
    assert len([name for name in names if name.startswith("book/_static/")]) > 15

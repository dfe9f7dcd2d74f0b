"""What copies for Colab and classrooms say besides their page, in the language of the edition."""

FOR_MARKING = "**For marking** ({points} points): the check names these mistakes."
READ_ME = """Image Retrieval with Variational Autoencoders: {kind} copies

1. python -m venv .venv
2. .venv/bin/python -m pip install -r requirements.txt {wheel}
3. .venv/bin/jupyter lab notebooks

A digit to draw, and a search for its relatives: open {drawing} in a browser. It needs no network.

The wheel holds the library, the images and the trained models. Without a network, fetch the other
packages where there is one (python -m pip download -r requirements.txt -d packages) and add
--no-index --find-links packages to step 2. On Windows write .venv\\Scripts for .venv/bin. The page
"Beyond one machine" also needs requirements-scale.txt.
"""
# tools/translate.py has these in the catalogue site.po, but for the file to read, which is below.
WORDS = (
    FOR_MARKING,
    "**Exercise: {title}**",
    "Solution",
    "**{title}.** {body}",
    "**Important.**",
    "*Figure.* {caption}",
    "*In the online book this figure answers when you move it.*",
    "*An interactive figure stands here in the online book.*",
    "the figure",
    "an equation of another chapter",
    "Open in Colab",
    "student",
    "instructor",
)
# Lines of its own, so it is no message of a catalogue.
READ_ME_IN = {
    "zh_CN": """用变分自编码器做图像检索：{kind} 版本

1. python -m venv .venv
2. .venv/bin/python -m pip install -r requirements.txt {wheel}
3. .venv/bin/jupyter lab notebooks

画一个数字，找出与它相像的图像：用浏览器打开 {drawing}，不需要联网。

wheel 文件里有本书的库、图像和训练好的模型。没有网络时，先在有网络的地方取来其余的包
（python -m pip download -r requirements.txt -d packages），再在第 2 步加上
--no-index --find-links packages。在 Windows 上，把 .venv/bin 换成 .venv\\Scripts。“超出一台机器”
那一页还需要 requirements-scale.txt。
"""
}
LANGUAGE_CELL = '''\
# The language in which the exercises answer.
import os

os.environ["VAE_TUTORIAL_LANGUAGE"] = "{language}"'''

_language = "en"
_known: dict[str, str] = {}


def speak(language: str) -> None:
    """Let ``tr`` answer in a language from now on."""
    global _language
    _language = language
    _known.clear()
    if language != "en":
        import translate

        _known.update(translate.titles() | translate.known(translate.SITE))


def language() -> str:
    return _language


def tr(words: str) -> str:
    return _known.get(" ".join(words.split()), words)


def language_cell() -> str:
    """Return the code that lets a copy's exercises answer in its language; none in English."""
    return "" if _language == "en" else LANGUAGE_CELL.format(language=_language)


def read_me() -> str:
    return READ_ME_IN.get(_language, READ_ME)

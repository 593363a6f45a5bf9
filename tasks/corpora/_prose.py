"""The English of a docstring: paragraphs, without code, tables and titles."""

import inspect
import re
import textwrap

_DOCTEST = re.compile(r"^\s*(?:>>>|\.\.\. |\$ |%|#!|\(Pdb\)|Traceback)", re.MULTILINE)
_DIRECTIVE = re.compile(r"^\s*(\.\. |:\w[\w ]*:|@|\|)")
_MARKER = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,2}[.)]|\[\d+\]|o(?= ))\s+")
_RULE = re.compile(r"^[\s=\-~^*+#_.|`'\"]*$")
_COLUMNS = re.compile(r"\S\s{3,}\S")
_WORD = re.compile(r"(?<![\w<.])[A-Za-z][a-z']*(?![\w(=])")
_SIGNATURE = re.compile(r"^[\w.]+\(.*\)(\s*->\s*.+)?$|^\S+\s*->\s*\S+$|^[\w.]+\($")


def paragraphs(docstring: str) -> list[str]:
    """The English paragraphs of a docstring, each on one line, in order."""
    text = inspect.cleandoc(docstring.expandtabs())
    kept = []
    for block in re.split(r"\n[ \t]*\n", text):
        for chunk in _chunks(block):
            line = _rejoin(chunk)
            if _is_english(line):
                kept.append(line)
    return kept


def _chunks(block: str) -> list[list[str]]:
    """Splits a block into runs of lines, each wrapped from one paragraph."""
    if doctest := _DOCTEST.search(block):
        block = block[: doctest.start()]
    chunks: list[list[str]] = [[]]
    for line in textwrap.dedent(block).splitlines():
        if _RULE.match(line):  # an underline: the line above is a title
            chunks[-1:] = [[]]
        elif _DIRECTIVE.match(line) or _SIGNATURE.match(line.strip()):
            chunks.append([])
        elif _COLUMNS.search(line) and not _sentence_gap(line):
            chunks.append([])
        elif _MARKER.match(line):
            chunks.append([_MARKER.sub("", line)])
        else:
            chunks[-1].append(line)
    return [chunk for chunk in chunks if chunk]


def _sentence_gap(line: str) -> bool:
    """Whether every wide gap of a line follows the end of a sentence."""
    return all(line[m.start()] in ".!?:,;" for m in _COLUMNS.finditer(line))


def _rejoin(lines: list[str]) -> str:
    """Undoes the wrapping; a word broken at its hyphen stays whole."""
    text = "\n".join(line.strip() for line in lines)
    text = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "-", text)
    return re.sub(r"\s+", " ", text).strip()


def _is_english(line: str) -> bool:
    """Whether a line reads as a sentence: mostly words, and an end mark or length.

    The limits were set by reading what they keep and what they drop.
    """
    words = _WORD.findall(line)
    if len(words) < 3 or not line.isprintable():
        return False
    share = sum(map(len, words)) / len(line.replace(" ", ""))
    ends = line[-1] in ".!?:" or line.endswith((".)", '."', ".'"))
    return share >= (0.5 if ends else 0.75) and (ends or len(words) >= 5)

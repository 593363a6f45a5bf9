"""Reads pages: each form of page to documents, lists of paragraphs.

Manuals are filtered (`prose.is_prose`). Of novels and addresses every paragraph is
kept, since a story without its short lines of speech is another story.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from .html import blocks
from .prose import is_prose, split_sentences, squeezed

Documents = Iterator[tuple[str, list[str]]]

ADDRESS_PARAGRAPH = 80
"""Words after which an address, which comes as one line, is cut into paragraphs."""

_CHARSXP, _CHARSXP_MASK, _NA = 9, 0xFF, 0xFFFFFFFF
_CHAPTER = re.compile(r"(CHAPTER|Chapter|VOLUME|Volume) \w+\.?", re.ASCII)
_TITLE = re.compile(r"[A-Z][A-Z .,;'’-]*|FINIS|THE END")


def html(path: str, content: bytes) -> Documents:
    """A page of HTML is one document."""
    yield path, [text for text in blocks(content) if is_prose(text)]


def pod(path: str, content: bytes) -> Documents:
    """A file of Perl's Plain Old Documentation: its paragraphs that are no code."""
    text = content.decode("utf-8", "replace")
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        if block.startswith((" ", "\t", "=")):  # verbatim, or a command
            continue
        line = squeezed(block)
        for _ in range(3):  # codes nest
            line = re.sub(r"\b[A-Z]<<+ (.*?) >>+", r"\1", line)
            line = re.sub(r"\bL<([^<>|]*)\|[^<>]*>", r"\1", line)
            line = re.sub(r"\b[XZ]<[^<>]*>", "", line)
            line = re.sub(r"\b[A-Z]<([^<>]*)>", r"\1", line)
        if is_prose(line):
            paragraphs.append(line)
    yield path, paragraphs


def vim(path: str, content: bytes) -> Documents:
    """A help file of Vim: paragraphs without tags, links and examples."""
    text = content.decode("utf-8", "replace")
    text = re.sub(r" ?>\n(?:[ \t].*\n|\n)+<?", "\n\n", text)  # examples
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        line = re.sub(r"\*\S+\*", "", squeezed(block.replace("\n<", "\n")))
        line = squeezed(re.sub(r"\|([^|\s]+)\|", r"\1", line))
        if is_prose(line):
            paragraphs.append(line)
    yield path, paragraphs


def chapters(path: str, content: bytes) -> Documents:
    """A chapter in plain text, its first paragraph a title."""
    text = content.decode("utf-8")
    yield path, [squeezed(block) for block in re.split(r"\n\s*\n", text)[1:]]


def addresses(path: str, content: bytes) -> Documents:
    """An address on one line, cut into paragraphs of whole sentences."""
    text = squeezed(content.decode("utf-8"))
    yield path, split_sentences(text, words=ADDRESS_PARAGRAPH)


def r_novels(path: str, content: bytes) -> Documents:
    """Novels in an R data base: a document is a chapter.

    The data base is a chain of compressed objects, each behind its length in four
    bytes; an object here is a vector of the novel's lines.
    """
    while content:
        stream = zlib.decompressobj()
        lines = _strings(stream.decompress(content[4:]) + stream.flush())
        content = stream.unused_data
        title = next(line for line in lines if line)
        for number, chapter in enumerate(_chapters(lines)):
            yield f"{path}/{title}/{number}", chapter


def _strings(data: bytes) -> list[str]:
    """The strings of a serialised R character vector (XDR, version 3)."""
    # "X\n", three integers, the encoding behind its length, the vector's flags.
    (encoding,) = struct.unpack_from(">I", data, 14)
    position = 18 + encoding + 4
    (count,) = struct.unpack_from(">I", data, position)
    position += 4
    strings = []
    for _ in range(count):
        flags, length = struct.unpack_from(">II", data, position)
        assert flags & _CHARSXP_MASK == _CHARSXP, f"type {flags & _CHARSXP_MASK}"
        length = 0 if length == _NA else length
        position += 8
        strings.append(data[position : position + length].decode("utf-8"))
        position += length
    return strings


def _chapters(lines: list[str]) -> Iterator[list[str]]:
    """The chapters of a novel; what comes before the first is left out."""
    chapter: list[str] | None = None
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        text = squeezed(block)
        if _CHAPTER.fullmatch(text):
            if chapter:
                yield chapter
            chapter = []
        elif chapter is not None and text and not _TITLE.fullmatch(text):
            chapter.append(text.replace("_", ""))
    if chapter:
        yield chapter


READERS: Mapping[str, Callable[[str, bytes], Documents]] = {
    reader.__name__: reader
    for reader in (html, pod, vim, chapters, addresses, r_novels)
}

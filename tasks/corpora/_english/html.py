"""The blocks of text of an HTML page, without code, tables and navigation."""

import re
from collections.abc import Iterator
from typing import Any

from .prose import squeezed

_DROPPED = frozenset(
    "applet aside audio button canvas dt footer form head header iframe link map math "
    "meta nav noscript object pre script select style sup svg table textarea title tt-"
    "block video".split()
)
_INLINE = frozenset(
    "a abbr acronym b big bdi bdo cite code dfn em font i ins kbd label mark q samp "
    "small span strike strong sub tt u var".split()
)
_CLASSES = re.compile(
    r"nav|navbar|navigation|navheader|navfooter|navset\w*|nav_table|wy-nav-(side|top)|"
    r"rst-footer-buttons|toc|toc_current|toctree-\w+|tocview\w*|(sphinx)?sidebar\w*|"
    r"(wy-)?breadcrumbs?(-\w+)?|(page)?(footer|header)|related|menu|menu-\w+|indextable|"
    r"legalnotice|footnotes?|versionmodified|versionadded|versionchanged|deprecated|"
    r"highlight\S*|programlisting|screen|synopsis|bibliography|changelog|copyright|"
    r"quickview|short-?contents|docinfo|field-list|admonition-todo"
)
_IDS = re.compile(r"(nav|navigation|toc|sidebar|breadcrumbs?|footer|header|menu)\w*")


def blocks(content: bytes) -> Iterator[str]:
    """Yields the text of each block of a page, in order, on one line.

    A block is what stands between two tags that begin a new line; markup within a line
    is dropped and its text kept.
    """
    import lxml.etree
    import lxml.html

    parser = lxml.html.HTMLParser(encoding=_encoding(content), remove_comments=True)
    try:
        root: Any = lxml.html.document_fromstring(content, parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError):  # an empty page
        return
    parts: list[str] = []
    for text in _walk(root):
        if text is not None:
            parts.append(text)
        elif parts:
            if line := squeezed("".join(parts).replace("¶", "")):
                yield line
            parts = []
    if line := squeezed("".join(parts)):
        yield line


def _walk(root: Any) -> Iterator[str | None]:
    """The texts of a tree in order, and None where a block begins or ends."""
    # Each entry is an element to enter, or what follows one that was left.
    waiting: list[tuple[Any, bool]] = [(root, True)]
    while waiting:
        element, entering = waiting.pop()
        inline = element.tag in _INLINE
        if not entering:
            if not inline:
                yield None
            if element.tail and element is not root:
                yield element.tail
            continue
        waiting.append((element, False))
        if not inline:
            yield None
        if not _dropped(element):
            if element.text:
                yield element.text
            waiting.extend((child, True) for child in reversed(element))


def _dropped(element: Any) -> bool:
    """Whether an element holds no prose: code, a table, navigation."""
    if not isinstance(element.tag, str) or element.tag in _DROPPED:
        return True
    if element.get("role") in ("navigation", "search", "banner", "contentinfo"):
        return True
    if element.tag in ("body", "html", "main") or element.tag in _INLINE:
        return False
    if element.tag == "div" and _IDS.fullmatch(element.get("id", "")):
        return True
    return any(map(_CLASSES.fullmatch, element.get("class", "").lower().split()))


def _encoding(content: bytes) -> str:
    """The encoding that a page declares, or UTF-8."""
    found = re.search(rb"charset=[\"']?([\w-]+)", content[:2048])
    name = found[1].decode("ascii") if found else "utf-8"
    return "utf-8" if name.lower() not in ("iso-8859-1", "latin1", "us-ascii") else name

"""Finds the English text in every CPython: topics, docstrings and comments."""

import ast
import importlib
import importlib.machinery
import inspect
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

# Distributions leave out the tests. What else they pack apart, as tkinter, is read if
# it is there; the corpus is identified by what it comes to.
_TESTS = {"test", "tests", "idle_test"}
_SKIPPED = {"site-packages", "dist-packages", "__pycache__", "lib2to3"} | _TESTS
# Importing these opens windows, browsers or files, or tests the interpreter.
_NOT_IMPORTED = re.compile(r"^(_test|_xx|xx|_ctypes_test|_tkinter|readline|nis)")
_OPENING = re.compile(r"^[ \t]*([rRuU]?)(\"{3}|'{3})", re.MULTILINE)
_COMMENTS = re.compile(r"(?:^[ \t]*#[^\n]*\n){2,}", re.MULTILINE)
_INDENT = re.compile(r"[ \t]*")
_COMMENT = re.compile(r"[ \t]*#[^\n]*(?=\n|$)")


def documents() -> Iterator[tuple[str, list[str]]]:
    """Yields `(name, texts)`, ordered by name: topics, sources, then C modules.

    A document is a topic, or the text of a module, a top-level class with its methods
    or a top-level function. The module's name ends before `#`.
    """
    topics = importlib.import_module("pydoc_data.topics").topics
    for topic in sorted(topics):
        yield f"topic/{topic}", [topics[topic]]
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if not _SKIPPED.intersection(relative.parts):
            source = path.read_text("utf-8", errors="replace")
            for number, texts in enumerate(in_source(source)):
                yield f"module/{relative.as_posix()}#{number}", texts
    for name in sorted(_c_modules()):
        for number, texts in enumerate(_of_c_module(name)):
            yield f"extension/{name}#{number}", texts


def in_source(source: str) -> list[list[str]]:
    """Docstrings, and comments of two lines or more, of a source file, in order.

    A docstring indented at most once, of the module or a top-level definition, begins a
    new document; those of methods, and comments, continue it.
    """
    passages = _docstrings(source)
    if source.isascii():  # elsewhere: test data, and lines in other alphabets
        passages += [
            (match.start(), re.sub(r"^[ \t]*#+:?", "", match[0], flags=re.MULTILINE))
            for match in _COMMENTS.finditer(source)
        ]
    documents: list[list[str]] = []
    for position, text in sorted(passages):
        indent = _INDENT.match(source, position)
        comment = _COMMENTS.match(source, position)
        deep = indent is not None and len(indent[0].expandtabs()) > 4
        if not documents or not (comment or deep):
            documents.append([])
        documents[-1].append(text)
    return documents


def _docstrings(source: str) -> list[tuple[int, str]]:
    """`(position, docstring)` of a source file.

    Scans for triple quotes that open a file or follow a colon. `ast` finds 3 % more
    (docstrings in single quotes) and takes twenty times as long.
    """
    docstrings: list[tuple[int, str]] = []
    position = 0
    while opening := _OPENING.search(source, position):
        raw, quotes = opening[1].lower() == "r", opening[2]
        end = source.find(quotes, opening.end())
        while end > 0 and source[end - 1] == "\\":
            end = source.find(quotes, end + 1)
        if end < 0:
            break
        if _is_docstring(source[: opening.start()], position):
            body = source[opening.end() : end]
            docstrings.append(
                (opening.start(), body if raw else _unescape(body, quotes))
            )
        position = end + 3
    return docstrings


def _is_docstring(before: str, position: int) -> bool:
    """Whether a string after this source is a docstring."""
    code = _COMMENT.sub("", before[max(position, len(before) - 600) :]).rstrip()
    return code.endswith(":") or (position == 0 and not code)


def _unescape(body: str, quotes: str) -> str:
    if "\\" not in body:
        return body
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the standard library's own invalid escapes
        try:
            return ast.literal_eval(quotes + body + quotes)
        except (SyntaxError, ValueError):  # a string that only looks like a docstring
            return ""


def _c_modules() -> set[str]:
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    folder = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
    files = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    dynamic = {f.split(".")[0] for f in files if f.endswith(tuple(suffixes))}
    names = dynamic | set(sys.builtin_module_names)
    return {name for name in names if not _NOT_IMPORTED.match(name)}


def _of_c_module(name: str) -> list[list[str]]:
    """Docstrings of a C module: its own, its members' and their methods'."""
    try:
        module = importlib.import_module(name)
    except ImportError:  # built without the library that this module wraps
        return []
    documents = [[module.__doc__]]
    for _, member in sorted(vars(module).items()):
        if callable(member):
            methods = sorted(vars(member)) if inspect.isclass(member) else []
            documents.append([inspect.getdoc(member)])
            documents[-1] += [vars(member)[key].__doc__ for key in methods]
    return [[text for text in texts if isinstance(text, str)] for texts in documents]

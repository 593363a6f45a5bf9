"""Statements of gin files, by gin's own parser. The only file that imports gin."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gin import config_parser

from ...objectives.errors import UsageError
from .files import find_included
from .values import Binding, Macro, Reference, Scope

Statement = tuple[Scope, str, str, Binding]
"""Scope, configurable, parameter, binding; a macro has no parameter."""


class _Delegate(config_parser.ParserDelegate):
    """Turns references and macros into values for gin's parser."""

    def configurable_reference(
        self, scoped_configurable_name: str, evaluate: bool
    ) -> Any:
        *scope, name = scoped_configurable_name.split("/")
        return Reference(tuple(scope), name, evaluate)

    def macro(self, macro_name: str) -> Any:
        if macro_name == "gin.REQUIRED":
            raise SyntaxError(
                "%gin.REQUIRED stands for a value to be given later; give it here, or "
                "take the line out: what has no default has to be bound."
            )
        return Macro(macro_name)


def read_file(path: Path, path_so_far: tuple[Path, ...] = ()) -> Iterator[Statement]:
    """The statements of a gin file, and of those that it includes.

    Args:
      path: of the file.
      path_so_far: files that include it, from the first on.

    Raises:
      UsageError: a file that is missing, malformed or in a circle; an `import`.
    """
    if path in path_so_far:
        names = " → ".join(p.name for p in (*path_so_far, path))
        raise UsageError(f"gin files include each other in a circle: {names}.")
    for statement in _parse(_text_of(path), path.name):
        if isinstance(statement, config_parser.IncludeStatement):
            included = find_included(statement.filename, path)
            yield from read_file(included, (*path_so_far, path))
        else:
            yield from _bindings(statement, path.name)


def _text_of(path: Path) -> str:
    """A gin file's text, with or without a byte order mark.

    Raises:
      UsageError: it is no UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no gin file: it is not UTF-8 text (byte {error.start}); save "
            "it as UTF-8."
        ) from error
    if "\0" in text:
        raise UsageError(f"{path} is no gin file: it has NUL bytes; save it as UTF-8.")
    return text


def read_binding(text: str) -> Iterator[Statement]:
    """The statement of `adamw.b1=0.8`; a bare word is a string.

    Raises:
      UsageError: it has no value, is malformed, or more than one.
    """
    name, equals, value = text.partition("=")
    where = f"--gin.{text}"
    if not equals:
        raise UsageError(f"{where}: no value; write --gin.NAME=VALUE.")
    statements = list(_parse(f"{name.strip()} = {_quoted(value.strip())}", where))
    if len(statements) != 1:
        raise UsageError(f"{where}: one binding per --gin option.")
    if isinstance(statements[0], config_parser.IncludeStatement):
        raise UsageError(f"{where}: give the file as --gin_file=NAME.")
    yield from _bindings(statements[0], where)


def _quoted(value: str) -> str:
    """A bare word as a string literal; gin's own syntax unchanged."""
    if not value or value[0] in "@%[({'\"":
        return value
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return repr(value)
    return value


def _parse(text: str, where: str) -> Iterator[Any]:
    try:
        yield from config_parser.ConfigParser(io.StringIO(text), _Delegate())
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno and "\n" in text else ""
        raise UsageError(f"{where}{line}: {_parser_message(error.msg)}") from error
    except tokenize.TokenError as error:
        raise UsageError(f"{where}: {error.args[0]}") from error


def _parser_message(message: str) -> str:
    """Gin's message; for an unreadable value, without Python's internal names."""
    token = re.search(r"Failed to parse token '(.*)'", message)
    if token is None:
        return message
    return (
        f"{token[1]} is no value; write a number, True, False, None, a text in quotes, "
        "a list, tuple or dict of these, @NAME or %MACRO."
    )


def _bindings(statement: Any, where: str) -> Iterator[Statement]:
    if not where.startswith("--gin."):
        where = f"{where}:{statement.location.line_num}"
    if isinstance(statement, config_parser.ImportStatement):
        raise UsageError(
            f"{where}: `{statement.format()}`: a gin file is data and imports nothing; "
            "what it may bind is listed by `configurables`."
        )
    scope = tuple(part for part in statement.scope.split("/") if part)
    if isinstance(statement, config_parser.BindingStatement):
        binding = Binding(statement.value, where)
        yield scope, statement.selector, statement.arg_name, binding

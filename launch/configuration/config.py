"""Gin, strictly: a gin file is data. The only file that imports gin.

Gin's own parser reads the files; binding, checking and building are done without its
global registry (`bindings.py`), because gin by itself runs `import` statements while it
parses, takes values of any type, and keeps one configuration for the whole process, in
which t5 and SeqIO register names of their own. A gin file may say what gin's syntax
says (bindings, blocks, scopes, macros, references, includes), but not `import`.
"""

import ast
import dataclasses
import inspect
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gin import config_parser

from ...objectives.errors import UsageError
from . import resolved
from .bindings import Bindings
from .files import find, find_included
from .values import (
    Binding,
    Configurable,
    Macro,
    Reference,
    Scope,
    leaves,
    parameters,
    require_known,
)

RENAMED = {("train", "most_skipped_in_a_row"): "max_consecutive_skips"}
"""Renamed parameters, so that older gin files get the new name in the message."""


def configurables() -> dict[str, Callable[..., Any]]:
    """Everything that gin may bind, by the name that gin files use."""
    from ...models.config import ModelConfig
    from ...models.rows import decoder_rows, encoder_decoder_rows
    from ...tasks.examples.mixture import Mixture
    from ..studies.study import Study
    from ..training import optimizers, schedules
    from ..training.mesh import MeshShape
    from ..training.train import train

    return {
        "train": train,
        "study": Study,
        "Mixture": Mixture,
        "ModelConfig": ModelConfig,
        "decoder_rows": decoder_rows,
        "encoder_decoder_rows": encoder_decoder_rows,
        "MeshShape": MeshShape,
        "adamw": optimizers.adamw,
        "adafactor": optimizers.adafactor,
        "muon": optimizers.muon,
        "constant": schedules.constant,
        "warmup_cosine": schedules.warmup_cosine,
        "warmup_rsqrt": schedules.warmup_rsqrt,
        "warmup_stable_decay": schedules.warmup_stable_decay,
    }


@dataclasses.dataclass(frozen=True)
class Config:
    """A configuration that was read and checked.

    Attributes:
      bindings: every bound value.
      settings: names of objectives and corpora, whose bindings are settings.
    """

    bindings: Bindings
    settings: tuple[str, ...]

    def arguments(self, name: str, **given: Any) -> dict[str, Any]:
        """Keyword arguments of a configurable, as in `Bindings.arguments`."""
        return self.bindings.arguments(name, **given)

    def resolved_config(self, root: str = "train") -> str:
        """Gin text of everything that `root` uses, with defaults written out."""
        return resolved.text(self.bindings, root, self.settings)

    def defaults(self, root: str = "train") -> list[str]:
        """The names in the resolved config whose values are defaults."""
        return resolved.defaults(self.bindings, root, self.settings)

    def unused(self, root: str = "train") -> list[str]:
        """Bindings that change nothing, because `root` does not use what they bind."""
        return resolved.unused(self.bindings, root, self.settings)


def load(
    files: Sequence[str],
    bindings: Sequence[str] = (),
    *,
    table: Mapping[str, Callable[..., Any]] | None = None,
    settings: Mapping[str, Mapping[str, inspect.Parameter]] | None = None,
) -> Config:
    """Reads gin files, then `NAME=VALUE` bindings, which win over the files.

    Args:
      files: paths, or names of shipped files.
      bindings: `adamw.b1=0.8`; a bare word is a string.
      table: what may be bound; `configurables()` by default.
      settings: what may be bound of each objective and corpus; by default the settings
        of them all.

    Raises:
      ValueError: a file is missing or malformed; an `import`; a name or a parameter
        that does not exist; a value of the wrong type; a macro that is missing or that
        nothing uses. The message names the file and the line.
    """
    functions = configurables() if table is None else table
    settings = _all_settings() if settings is None else settings
    bindable = {
        name: Configurable(function, parameters(function))
        for name, function in functions.items()
    } | {name: Configurable(None, valid) for name, valid in settings.items()}

    values: dict[tuple[Scope, str], dict[str, Binding]] = {}
    macros: dict[str, Binding] = {}
    statements = [s for name in files for s in _read_file(find(name), ())]
    statements += [s for text in bindings for s in _read_binding(text)]
    for scope, name, parameter, binding in statements:
        if parameter:
            where = binding.where
            require_known("configurable", name, bindable, where)
            if (name, parameter) in RENAMED:
                raise UsageError(
                    f"{where}: {name}.{parameter} is now called "
                    f"{name}.{RENAMED[name, parameter]}; write that."
                )
            valid = bindable[name].parameters
            require_known(f"parameter of {name!r} named", parameter, valid, where)
            values.setdefault((scope, name), {})[parameter] = binding
        else:
            macros["/".join((*scope, name))] = binding

    def mixture_settings(scope: Scope) -> dict[str, dict[str, Any]]:
        return _mixture_settings(checked, tuple(settings), scope)

    injected = {
        ("Mixture", "settings"): mixture_settings,
        ("study", "settings"): mixture_settings,
    }
    used_macros = frozenset(
        leaf.name
        for *_, binding in statements
        for leaf in leaves(binding.value)
        if isinstance(leaf, Macro)
    )
    checked = Bindings(bindable, values, macros, used_macros, injected)
    checked.validate()
    return Config(checked, tuple(settings))


def _all_settings() -> dict[str, Mapping[str, inspect.Parameter]]:
    """The settings of every objective and every corpus, by name."""
    from ...objectives import registry
    from ...tasks import corpora

    settings = {name: parameters(corpora.factory(name)) for name in corpora.names()}
    for name, objective in registry.objectives().items():
        every = parameters(objective.function)
        settings[name] = {setting: every[setting] for setting in objective.settings}
    return settings


def _mixture_settings(
    bindings: Bindings, names: Sequence[str], scope: Scope
) -> dict[str, dict[str, Any]]:
    """The settings of objectives and corpora of a mixture under `scope`, by name.

    Deeper scopes are variants, `x64/span_corruption`; they inherit what is bound
    without the scope.
    """
    places = [(scope, name) for name in names]
    places += [
        (inner, name)
        for inner, name in bindings.values
        if name in names and len(inner) > len(scope) and inner[: len(scope)] == scope
    ]
    bound = {
        "/".join((*inner[len(scope) :], name)): bindings.arguments(name, inner)
        for inner, name in places
    }
    return {name: values for name, values in bound.items() if values}


_Statement = tuple[Scope, str, str, Binding]
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


def _read_file(path: Path, path_so_far: tuple[Path, ...]) -> Iterator[_Statement]:
    if path in path_so_far:
        names = " → ".join(p.name for p in (*path_so_far, path))
        raise UsageError(f"gin files include each other in a circle: {names}.")
    for statement in _parse(_text_of(path), path.name):
        if isinstance(statement, config_parser.IncludeStatement):
            included = find_included(statement.filename, path)
            yield from _read_file(included, (*path_so_far, path))
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


def _read_binding(text: str) -> Iterator[_Statement]:
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


def _bindings(statement: Any, where: str) -> Iterator[_Statement]:
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

"""References, macros, bindings and what they bind."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ...objectives.errors import UsageError, nearest

Scope = tuple[str, ...]


class Reference(NamedTuple):
    """`@scope/name` (the configurable itself) or `@scope/name()` (what it returns)."""

    scope: Scope
    name: str
    called: bool

    def __repr__(self) -> str:
        return f"@{'/'.join((*self.scope, self.name))}{'()' if self.called else ''}"


class Macro(NamedTuple):
    """`%name`, the value that `name = value` gives."""

    name: str

    def __repr__(self) -> str:
        return f"%{self.name}"


class Binding(NamedTuple):
    """A bound value, and the file and line that bind it."""

    value: Any
    where: str


class Configurable(NamedTuple):
    """What gin may bind parameters of.

    Attributes:
      function: builds it; None for settings that are only read.
      parameters: may be bound.
    """

    function: Callable[..., Any] | None
    parameters: Mapping[str, inspect.Parameter]

    def required(self) -> list[str]:
        """Parameters without a default."""
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return [
            name
            for name, parameter in self.parameters.items()
            if parameter.default is parameter.empty and parameter.kind not in variadic
        ]


def leaves(value: Any) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts; keys of dicts too."""
    if isinstance(value, Reference | Macro):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def require_known(kind: str, name: str, valid: Mapping[str, Any], where: str) -> None:
    """Raises a ValueError if a name is not among the valid ones."""
    if name not in valid:
        raise UsageError(f"{where}: no {kind} {name!r}; {nearest(name, valid)}")

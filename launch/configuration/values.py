"""References, macros, bindings and what they bind; type checks of values."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from beartype import BeartypeConf
from beartype.door import is_bearable

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


# PEP 484's numeric tower: an int fits a float, never the reverse.
_CONF = BeartypeConf(is_pep484_tower=True)


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """A callable's parameters by name, annotations evaluated."""
    return inspect.signature(function, eval_str=True).parameters


def fits(value: Any, parameter: inspect.Parameter) -> bool:
    """Whether the value has the parameter's type; True without an annotation.

    A default of None allows None too. A bool is no number, and a text no sequence: its
    letters would be read.
    """
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        return True
    if value is None and parameter.default is None:
        return True
    if isinstance(value, bool) and annotation in (int, float):
        return False
    union = get_origin(annotation) in (Union, UnionType)
    kinds = get_args(annotation) if union else [annotation]
    if isinstance(value, str):
        kinds = [kind for kind in kinds if get_origin(kind) is not Sequence]
    return any(is_bearable(value, kind, conf=_CONF) for kind in kinds)


def hint(value: Any, parameter: inspect.Parameter) -> str:
    """How to write a value that is a sequence of one, by itself; "" for others."""
    alone = fits((value,), parameter)
    return f"; write ({value!r},) for one alone" if alone else ""


def spell(annotation: Any) -> str:
    """An annotation as a person writes it: `int`, `Literal['silu', 'gelu']`."""
    if inspect.isclass(annotation) and not getattr(annotation, "__args__", None):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")

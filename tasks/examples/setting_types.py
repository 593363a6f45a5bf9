"""Whether values have the types of the parameters that they are bound to."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from beartype import BeartypeConf
from beartype.door import is_bearable

from ...objectives.errors import UsageError

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
    union = get_origin(annotation) in (Union, UnionType)
    kinds = get_args(annotation) if union else [annotation]
    if isinstance(value, bool):
        kinds = [kind for kind in kinds if kind not in (int, float)]
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


def require_fits(name: str, value: Any, parameter: inspect.Parameter) -> None:
    """Refuses a value that does not have the parameter's type.

    Args:
      name: of the parameter, for the message: `masked.rate`, and where it is bound.
      value: for it.
      parameter: annotated.
    """
    if not fits(value, parameter):
        raise UsageError(
            f"{name} = {value!r} is of type {type(value).__name__}; it takes "
            f"{spell(parameter.annotation)}{hint(value, parameter)}."
        )


def require_settings(
    name: str, settings: Mapping[str, Any], function: Callable[..., Any]
) -> None:
    """Refuses settings of other types than the parameters of their names have."""
    known = parameters(function)
    for setting in known.keys() & settings.keys():
        require_fits(f"{name}.{setting}", settings[setting], known[setting])

"""Whether a value from a gin file fits the annotation of the parameter it is for."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from beartype import BeartypeConf
from beartype.door import is_bearable

# PEP 484's numeric tower: an int will do where a float is asked for, never the reverse.
_CONF = BeartypeConf(is_pep484_tower=True)


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """A callable's parameters by name, annotations evaluated."""
    return inspect.signature(function, eval_str=True).parameters


def fits(value: Any, parameter: inspect.Parameter) -> bool:
    """Whether the value has the parameter's type; True where it has no annotation.

    A default of None makes None a value too. A bool is no number.
    """
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        return True
    if value is None and parameter.default is None:
        return True
    if isinstance(value, bool) and annotation in (int, float):
        return False
    return is_bearable(value, annotation, conf=_CONF)


def spell(annotation: Any) -> str:
    """An annotation as a person writes it: `int`, `Literal['silu', 'gelu']`."""
    if inspect.isclass(annotation) and not getattr(annotation, "__args__", None):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")

"""A configuration written out as gin text: what is used, with every default."""

import ast
import inspect
import math
import pprint
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from .bindings import Bindings
from .values import Macro, Reference, Scope, leaves


def text(
    bindings: Bindings,
    root: str,
    settings: Sequence[str],
    *,
    without: Collection[str] = (),
) -> str:
    """Gin text of everything that `root` uses. Read again, it gives the same values.

    Args:
      bindings: the configuration.
      root: the configurable to start from.
      settings: names of objectives and corpora; their settings are written out where
        a mixture names a task of theirs (`python_docs.x64/span_corruption`).
      without: configurables (`Mixture`) and parameters (`train.rows`) to leave out.
    """
    blocks = [
        _block(bindings, *place, without=without)
        for place in _places(bindings, root, settings)
        if place[1] not in without
    ]
    return "\n".join(blocks)


def unused(bindings: Bindings, root: str, settings: Sequence[str]) -> list[str]:
    """`file:line: name.parameter` of each binding that `root` does not use."""
    used = {
        (scope[:depth], name)
        for scope, name in _places(bindings, root, settings)
        for depth in range(len(scope) + 1)
    }
    return [
        f"{binding.where}: {'/'.join((*scope, name))}.{parameter}"
        for (scope, name), parameters in bindings.values.items()
        if (scope, name) not in used
        for parameter, binding in parameters.items()
    ]


def defaults(bindings: Bindings, root: str, settings: Sequence[str]) -> list[str]:
    """The names in `text` whose values are defaults, which nothing binds."""
    return [
        f"{'/'.join((*scope, name))}.{parameter}"
        for scope, name in _places(bindings, root, settings)
        for parameter in bindings.table[name].parameters
        if parameter not in bindings.bound(scope, name)
    ]


_NAMING = {
    ("Mixture", "rates"),
    ("Mixture", "schedule"),
    ("Mixture", "corpora"),
    ("study", "corpus"),
    ("study", "corpora"),
    ("study", "probes"),
    ("study", "mixes"),
}
"""Parameters whose values name tasks, objectives and corpora."""


def _places(
    bindings: Bindings, root: str, settings: Sequence[str]
) -> list[tuple[Scope, str]]:
    """Every configurable used, with its scope, once each; then objectives, corpora."""
    places = [(use.scope, use.name) for use in bindings.uses(root)]
    named = [
        (*scope, *variant, name)
        for scope, user in places
        for parameter, binding in bindings.bound(scope, user).items()
        if (user, parameter) in _NAMING
        for *variant, name in _names(bindings, binding.value)
        if name in settings
    ]
    ordered = sorted(named, key=lambda place: settings.index(place[-1]))
    places += [(place[:-1], place[-1]) for place in ordered]
    return list(dict.fromkeys(places))


def _names(bindings: Bindings, value: Any) -> Iterator[list[str]]:
    """Scope and name of each part of the tasks inside a value.

    `policies` and `x64`, `span_corruption` of `policies.x64/span_corruption`.
    """
    for leaf in leaves(value):
        if isinstance(leaf, str):
            for part in leaf.split("."):
                yield part.split("/")
        elif isinstance(leaf, Macro):
            yield from _names(bindings, bindings.macros[leaf.name].value)


def _block(
    bindings: Bindings, scope: Scope, name: str, *, without: Collection[str]
) -> str:
    prefix = "/".join((*scope, name))
    bound = bindings.bound(scope, name)
    lines = [f"# {prefix}"]
    for parameter, signature in bindings.table[name].parameters.items():
        if (name, parameter) in bindings.injected or f"{name}.{parameter}" in without:
            continue
        if parameter in bound:
            value = _inline(bindings, bound[parameter].value)
            lines.append(f"{prefix}.{parameter} = {_spell(value)}")
        elif signature.default is not inspect.Parameter.empty:
            mark = "" if _literal(signature.default) else "# "
            lines.append(f"{mark}{prefix}.{parameter} = {_spell(signature.default)}")
    return "\n".join(lines) + "\n"


def _inline(bindings: Bindings, value: Any) -> Any:
    """The value with its macros replaced by their values, every part a literal."""
    if isinstance(value, Macro):
        return _inline(bindings, bindings.macros[value.name].value)
    if isinstance(value, Reference):
        return value
    if isinstance(value, dict):
        return {_inline(bindings, k): _inline(bindings, v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_inline(bindings, item) for item in value)
    if isinstance(value, float) and math.isinf(value):
        return _Infinite(value)
    return value


class _Infinite(float):
    """`inf` is no literal."""

    def __repr__(self) -> str:
        return "1e999" if self > 0 else "-1e999"


def _spell(value: Any) -> str:
    return pprint.pformat(value, width=80, sort_dicts=False)


def _literal(value: Any) -> bool:
    try:
        ast.literal_eval(repr(value))
    except (ValueError, SyntaxError):
        return False
    return True

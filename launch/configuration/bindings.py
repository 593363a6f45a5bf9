"""The bindings of a configuration, checked against signatures, and what they build."""

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_origin

from ...objectives.errors import UsageError, nearest
from ...tasks.examples.setting_types import require_fits
from .values import (
    Binding,
    Configurable,
    Macro,
    Reference,
    Scope,
    leaves,
    require_known,
)

GIVEN = {("train", "run_dir"): "given as --run_dir of `sightline train`"}
"""How parameters are given that are not bound, where it is not as `PASSED` says."""

PASSED = "passed by what uses it (a schedule gets train.steps)"


class Use(NamedTuple):
    """One use of a configurable: under which scope, and called or not."""

    scope: Scope
    name: str
    called: bool


@dataclass(frozen=True)
class Bindings:
    """Everything that a configuration binds.

    Attributes:
      table: what may be bound.
      values: bindings by (scope, configurable) and parameter.
      macros: bindings by macro.
      used_macros: macros that some statement uses, even one overridden later.
      injected: parameters that are computed from the scope, never bound.
    """

    table: Mapping[str, Configurable]
    values: Mapping[tuple[Scope, str], Mapping[str, Binding]]
    macros: Mapping[str, Binding]
    used_macros: frozenset[str]
    injected: Mapping[tuple[str, str], Callable[[Scope], Any]]

    def validate(self) -> None:
        """Checks what can be checked before anything is built.

        Raises:
          ValueError: a reference or macro to a name that does not exist, a macro that
            nothing uses, a plain value of the wrong type, a parameter that is never
            bound.
        """
        bindings = [
            (name, parameter, binding)
            for (_, name), parameters in self.values.items()
            for parameter, binding in parameters.items()
        ]
        for binding in (*(b for _, _, b in bindings), *self.macros.values()):
            for leaf in leaves(binding.value):
                if isinstance(leaf, Reference):
                    require_known("configurable", leaf.name, self.table, binding.where)
                elif isinstance(leaf, Macro):
                    require_known("macro", leaf.name, self.macros, binding.where)
        for macro, binding in self.macros.items():
            if macro not in self.used_macros:
                raise UsageError(
                    f"{binding.where}: nothing uses %{macro}; "
                    + nearest(macro, self.used_macros)
                )
        for name, parameter, binding in bindings:
            if (name, parameter) in self.injected:
                raise UsageError(
                    f"{binding.where}: {name}.{parameter} is filled from other "
                    "bindings, such as `masked.rate = 0.3`; bind those."
                )
            if not any(isinstance(x, Reference | Macro) for x in leaves(binding.value)):
                self.check(name, parameter, binding.value, binding.where)

    def bound(self, scope: Scope, name: str) -> dict[str, Binding]:
        """What is bound for a configurable under a scope; inner scopes win."""
        merged: dict[str, Binding] = {}
        for depth in range(len(scope) + 1):
            merged.update(self.values.get((scope[:depth], name), {}))
        return merged

    def arguments(self, name: str, scope: Scope = (), **given: Any) -> dict[str, Any]:
        """Keyword arguments for a configurable: bound values, built and checked.

        Args:
          name: the configurable.
          scope: under which its bindings are looked up.
          **given: arguments from the caller, which are not bound.

        Raises:
          ValueError: a value has the wrong type, a given one is bound too, or
            parameters without a default are not bound, here or in anything that is
            built for it.
        """
        bound = self.bound(scope, name)
        for parameter, binding in bound.items():
            if parameter in given:
                source = GIVEN.get((name, parameter), PASSED)
                raise UsageError(
                    f"{binding.where}: {name}.{parameter} is not bound but {source}; "
                    "take the binding out."
                )
        self._check_required(name, scope, given)
        values = dict(given)
        for parameter, binding in bound.items():
            values[parameter] = self.resolve(binding.value, scope)
            self.check(name, parameter, values[parameter], binding.where)
        for (owner, parameter), make in self.injected.items():
            if owner == name:
                values.setdefault(parameter, make(scope))
        return values

    def build(self, name: str, scope: Scope, *positional: Any, **given: Any) -> Any:
        """Calls a configurable with its arguments; given ones are not bound."""
        function, parameters = self.table[name]
        if function is None:
            raise UsageError(f"{name!r} only has settings; it cannot be called.")
        given |= dict(zip(parameters, positional, strict=False))
        arguments = self.arguments(name, scope, **given)
        try:
            return function(**arguments)
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from error

    def resolve(self, value: Any, scope: Scope = ()) -> Any:
        """A value with its macros replaced and its references built; a fresh copy."""
        match value:
            case Macro():
                return self.resolve(self.macros[value.name].value, scope)
            case Reference(called=True):
                return self.build(value.name, value.scope or scope)
            case Reference():
                return functools.partial(self.build, value.name, value.scope or scope)
            case list() | tuple():
                return type(value)(self.resolve(item, scope) for item in value)
            case dict():
                return {
                    self.resolve(k, scope): self.resolve(v, scope)
                    for k, v in value.items()
                }
        return copy.deepcopy(value)

    def check(self, name: str, parameter: str, value: Any, where: str) -> None:
        """Raises a ValueError if a value does not fit a parameter's annotation."""
        wanted = self.table[name].parameters[parameter]
        require_fits(f"{where}: {name}.{parameter}", value, wanted)

    def uses(self, name: str, scope: Scope = (), called: bool = True) -> Iterator[Use]:
        """A configurable and, depth first, all that its bindings refer to."""
        yield from self._uses(Use(scope, name, called), ())

    def _uses(self, use: Use, path: tuple[Use, ...]) -> Iterator[Use]:
        if use in path:
            names = " → ".join(step.name for step in (*path, use))
            raise UsageError(f"a configurable refers to itself: {names}.")
        yield use
        for binding in self.bound(use.scope, use.name).values():
            for reference in self.references(binding.value):
                scope = reference.scope or use.scope
                yield from self._uses(
                    Use(scope, reference.name, reference.called), (*path, use)
                )

    def references(self, value: Any, path: tuple[str, ...] = ()) -> list[Reference]:
        """Every reference inside a value, including those behind macros."""
        references: list[Reference] = []
        for leaf in leaves(value):
            if isinstance(leaf, Reference):
                references.append(leaf)
            elif isinstance(leaf, Macro):
                if leaf.name in path:
                    raise UsageError(f"the macro %{leaf.name} refers to itself.")
                inner = self.macros[leaf.name].value
                references += self.references(inner, (*path, leaf.name))
        return references

    def _check_required(self, name: str, scope: Scope, given: Mapping) -> None:
        missing: list[str] = []
        for position, use in enumerate(self.uses(name, scope)):
            have = {*self.bound(use.scope, use.name), *(given if not position else ())}
            have |= {p for owner, p in self.injected if owner == use.name}
            if use.called:
                prefix = "/".join((*use.scope, use.name))
                required = self.table[use.name].required()
                missing += [f"{prefix}.{p}" for p in required if p not in have]
        if missing:
            names = list(dict.fromkeys(missing))
            self._refuse_called(name, scope)
            fix = f"in a gin file or on the command line: --gin.{names[0]}=VALUE."
            if name == "train" and not self.bound(scope, name):
                fix = "with --gin_file=any_mixture.gin, a small run, before your files."
            raise UsageError(
                f"not bound, and without a default: {', '.join(names)}. Bind them {fix}"
            )

    def _refuse_called(self, name: str, scope: Scope) -> None:
        """Refuses `@adamw()` where a function is wanted, which its user calls."""
        for use in self.uses(name, scope):
            for parameter, binding in self.bound(use.scope, use.name).items():
                wanted = self.table[use.name].parameters[parameter].annotation
                if get_origin(wanted) is not Callable:
                    continue
                for reference in self.references(binding.value):
                    if reference.called:
                        raise UsageError(
                            f"{binding.where}: {use.name}.{parameter} takes a function "
                            f"and calls it itself; write @{reference.name}, without "
                            "parentheses."
                        )

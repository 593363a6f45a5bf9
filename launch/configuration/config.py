"""Gin, strictly: a gin file is data.

Gin's own parser reads the files (`statements`); binding, checking and building are done
without its global registry (`bindings`), because gin by itself runs `import` statements
while it parses, takes values of any type, and keeps one configuration for the whole
process, in which t5 and SeqIO register names of their own. A gin file may say what
gin's syntax says (bindings, blocks, scopes, macros, references, includes), but not
`import`.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...objectives.errors import UsageError
from ...tasks.examples.setting_types import parameters
from . import resolved
from .bindings import Bindings
from .files import find
from .statements import read_binding, read_file
from .values import (
    Binding,
    Configurable,
    Macro,
    Scope,
    leaves,
    require_known,
)

RENAMED = {("train", "most_skipped_in_a_row"): "max_consecutive_skips"}
"""Renamed parameters, so that older gin files get the new name in the message."""


def configurables() -> dict[str, Callable[..., Any]]:
    """Everything that gin may bind, by the name that gin files use."""
    from ...models.config import ModelConfig
    from ...models.rows import decoder_rows, encoder_decoder_rows
    from ...tasks.examples.mixture import Mixture
    from ..studies.adaptation import Adaptation
    from ..studies.study import Study
    from ..training import optimizers, schedules
    from ..training.mesh import MeshShape
    from ..training.train import train

    return {
        "train": train,
        "study": Study,
        "Adaptation": Adaptation,
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
    statements = [s for name in files for s in read_file(find(name))]
    statements += [s for text in bindings for s in read_binding(text)]
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

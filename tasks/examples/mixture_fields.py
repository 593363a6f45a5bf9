"""Checks of what a mixture is made of, by kind: dicts, and settings of known types."""

from collections.abc import Mapping
from typing import Any

from ...objectives import registry
from ...objectives.errors import UsageError
from .. import corpora
from .setting_types import require_settings


def check_mappings(where: str, fields: Mapping[str, Any]) -> None:
    """Refuses fields of a mixture that are no dict; gin has checked, Python not.

    Args:
      where: begins the message.
      fields: by name.
    """
    for name in ("rates", "corpora", "loss_shares", "settings", "schedule"):
        if name != "loss_shares" or fields[name] is not None:
            _require_mapping(f"{where}: {name}", fields[name])
    for name, settings in fields["settings"].items():
        _require_mapping(f"{where}: settings of {name!r}", settings)


def _require_mapping(what: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise UsageError(f"{what} is {value!r}; give a dict.")


def check_settings(settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuses settings that their objective, variant or corpus does not take.

    Args:
      settings: by its name.
    """
    for name, own in settings.items():
        if (base := corpora.base_name(name)) in corpora.names():
            require_settings(name, own, corpora.factory(base))
            corpora.get(name, **own)
        else:
            objective = registry.get(name).with_settings(**own)
            require_settings(name, own, objective.function)

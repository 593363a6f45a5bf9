"""What a family of models is: its config.json and its weights, both ways."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ...models.config import ModelConfig
from ...models.rows import Architecture
from ...objectives.errors import UsageError, nearest, require_count
from ...tasks.tokens.reserved import Reserved
from .json_fields import CONFIG, Json, listed, text
from .safetensors import Tensor
from .weights import Weight


class Blueprint(NamedTuple):
    """What a config.json says of a model.

    Attributes:
      config: dimensions, computing in float32.
      architecture: of its rows.
      vocabulary_size: V, rows of its table.
      max_positions: slots that it was trained on at most, as far as it says.
      window: slots that it attends back to; None for all.
      objective: that it was trained with.
    """

    config: ModelConfig
    architecture: Architecture
    vocabulary_size: int
    max_positions: int
    window: int | None
    objective: str


class Family(NamedTuple):
    """A family of models that can come in and go out.

    Attributes:
      name: as messages call it.
      classes: names of their classes, `architectures` in config.json.
      read: a config.json to a blueprint; refuses what cannot be expressed.
      settle: a blueprint with what only the tensors tell.
      weights: of a model of these dimensions.
      written: the same for a folder that is written, which may hold copies.
      known: endings of the names of tensors that hold nothing needed.
      write: dimensions, ids and positions to a config.json.
      lacks: what of a model this family cannot express; "" if it can.
    """

    name: str
    classes: tuple[str, ...]
    read: Callable[[Json], Blueprint]
    settle: Callable[[Blueprint, Mapping[str, Tensor]], Blueprint]
    weights: Callable[[ModelConfig], tuple[Weight, ...]]
    written: Callable[[ModelConfig], tuple[Weight, ...]]
    known: tuple[str, ...]
    write: Callable[[ModelConfig, Reserved, int], dict[str, Any]]
    lacks: Callable[[ModelConfig], str]


def required(config: Json, *names: str) -> list[int]:
    """Whole numbers that a config.json must have.

    Raises:
      UsageError: one is missing or no positive whole number.
    """
    missing = [name for name in names if config.get(name) is None]
    if missing:
        raise UsageError(
            f"config.json lacks {', '.join(missing)}; copy it again with the model."
        )
    for name in names:
        require_count(f"{CONFIG}: {name}", config[name])
    return [config[name] for name in names]


def refuse(config: Json, reasons: Mapping[str, str]) -> None:
    """Refuses settings that are on and cannot be expressed.

    Args:
      config: of config.json.
      reasons: by setting, why a model that has it is not supported.
    """
    for name, reason in reasons.items():
        if config.get(name):
            raise UsageError(
                f"config.json: {name} is {config[name]!r}, which is not supported: "
                f"{reason}."
            )


def choice(config: Json, name: str, default: str, choices: Mapping[str, Any]) -> Any:
    """What a setting of a config.json stands for.

    Raises:
      UsageError: it is none of the choices.
    """
    value = text(config, name, default)
    if value not in choices:
        raise UsageError(
            f"config.json: {name} {value!r} is not supported; {nearest(value, choices)}"
        )
    return choices[value]


def named(family: Sequence[Family], config: Json) -> Family:
    """The family of a config.json.

    Raises:
      UsageError: it is of none, or is quantised.
    """
    refuse(
        config,
        {"quantization_config": "give the model in float32, bfloat16 or float16"},
    )
    classes = listed(config, "architectures")
    valid = [name for each in family for name in each.classes]
    for each in family:
        if len(classes) == 1 and classes[0] in each.classes:
            return each
    kind = classes[0] if classes else config.get("model_type", "none")
    raise UsageError(
        f"architecture {kind!r} is not supported; valid: {', '.join(valid)}."
    )

"""The mixture and the rows of gin files that need not be those of a whole run."""

from typing import Literal

from ..models.rows import RowShape, decoder_rows, encoder_decoder_rows
from ..tasks.mixture import Mixture
from .config import Config

Architecture = Literal["decoder", "encoder_decoder"]

SLOTS = 512
"""Of each stream, where a file binds no rows."""


def mixture_of(config: Config) -> Mixture:
    """The mixture that a configuration binds.

    Raises:
      ValueError: it binds none, or a wrong one.
    """
    return Mixture(**config.arguments("Mixture"))


def rows_of(config: Config, architecture: Architecture | None = None) -> RowShape:
    """The rows of an architecture, as bound, with 512 slots where they are not.

    Args:
      config: what was read.
      architecture: None is that of `train.rows`, a decoder where that is not bound.
    """
    if architecture is None:
        bound = config.bindings.bound((), "train")
        if "rows" in bound:
            return config.bindings.resolve(bound["rows"].value)
        architecture = "decoder"
    if architecture == "decoder":
        make, names = decoder_rows, ("slots", "predictions")
    else:
        make = encoder_decoder_rows
        names = ("slots", "predictions", "memory_slots", "memory_predictions")
    bound = config.bindings.bound((), f"{architecture}_rows")
    given = {k: config.bindings.resolve(b.value) for k, b in bound.items()}
    for name in names:
        slots = given.get(name.replace("predictions", "slots"), SLOTS)
        given.setdefault(name, slots)
    return make(**given)


def architecture_of(shape: RowShape) -> Architecture:
    """The architecture that reads such rows."""
    return "decoder" if shape.encoder is None else "encoder_decoder"

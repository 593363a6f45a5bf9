"""The mixture and the rows of gin files, which need not describe a whole run."""

from ...models.rows import Architecture, RowShape, decoder_rows, encoder_decoder_rows
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.packed_mixture import PackedMixture
from ...tasks.examples.preflight import check_examples
from .config import Config

SLOTS = 512
"""Slots of each stream if a file binds no rows."""


def mixture_of(config: Config) -> Mixture:
    """The mixture that a configuration binds.

    Raises:
      ValueError: it binds none, or a wrong one.
    """
    return Mixture(**config.arguments("Mixture"))


def rows_of(config: Config, architecture: Architecture | None = None) -> RowShape:
    """The rows of an architecture as bound, with 512 slots by default.

    Args:
      config: the configuration.
      architecture: None for that of `train.rows`, or a decoder if none is bound.
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
    settings = {k: config.bindings.resolve(b.value) for k, b in bound.items()}
    for name in names:
        slots = settings.get(name.replace("predictions", "slots"), SLOTS)
        settings.setdefault(name, slots)
    return make(**settings)


def packed_mixture_of(
    config: Config, mixture: Mixture, rows: RowShape
) -> PackedMixture:
    """A mixture on rows, with the batch and normalisation bound to `train`.

    Raises:
      ValueError: the Examples of an objective do not fit the rows.
    """
    check_examples(mixture, rows)
    bound = config.bindings.bound((), "train")
    names = ("batch_rows", "normalisation")
    settings = {n: config.bindings.resolve(bound[n].value) for n in names if n in bound}
    return PackedMixture(mixture, rows, **settings)

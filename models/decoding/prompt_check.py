"""Refuses what cannot be generated, before anything is computed."""

import jax
import numpy as np
from jaxtyping import Bool, Key

from ...objectives.errors import UsageError
from .prompts import Prompts


def check_ids(
    vocabulary_size: int,
    allowed: Bool[np.ndarray, " ids"],
    *,
    bos: int,
    eos: int | None,
    pad: int,
    mask: int | None = None,
) -> None:
    """Refuses ids that a vocabulary lacks, or that nothing can come of.

    Raises:
      ValueError: an id outside of the vocabulary, `allowed` of another size or
        without a token, or an `eos` that it forbids.
    """
    for name, value in (("bos", bos), ("eos", eos), ("pad", pad), ("mask", mask)):
        if value is not None and not 0 <= value < vocabulary_size:
            raise UsageError(
                f"{name} is {value}, which is no id of the model's vocabulary; take "
                f"one in [0, {vocabulary_size})."
            )
    if allowed.shape != (vocabulary_size,):
        raise UsageError(
            f"`allowed` has {allowed.size} entries; give one for each of the "
            f"{vocabulary_size} ids of the model's vocabulary."
        )
    if not allowed.any():
        raise UsageError("`allowed` allows no id; allow one, or give None for all.")
    if eos is not None and not allowed[eos]:
        raise UsageError(
            f"eos is {eos}, which `allowed` forbids, so that no row could end by it; "
            f"allow it, or give eos=None for rows of their full length."
        )


def check_keys(keys: Key[jax.Array, "..."], *, rows: int) -> None:
    """Refuses keys that are not one a row.

    Raises:
      ValueError: naming both.
    """
    if keys.shape != (rows,):
        raise UsageError(
            f"keys of shape {keys.shape} came with {rows} rows; give one key for "
            f"each: jax.random.split(key, {rows})."
        )


def check_prompts(prompts: Prompts, *, vocabulary_size: int) -> None:
    """Refuses prompts whose shapes or values fit neither each other nor the model.

    Raises:
      ValueError: what is wrong, in which row, and what fits.
    """
    _check_shapes(prompts)
    width, slots = np.shape(prompts.inputs)[1], np.shape(prompts.targets)[1]
    for field, most, meaning in (
        ("inputs_lengths", width, "the width of its inputs"),
        ("lengths", slots, "the width of its targets"),
        ("given", np.asarray(prompts.lengths), "its `lengths`"),
    ):
        _check_range(field, getattr(prompts, field), most, meaning)
    known = (
        ("inputs", prompts.inputs, prompts.inputs_lengths),
        ("targets", prompts.targets, prompts.given),
    )
    for name, tokens, lengths in known:
        tokens, lengths = np.asarray(tokens), np.asarray(lengths)
        read = np.arange(tokens.shape[1]) < lengths[:, None]
        wrong = read & ((tokens < 0) | (tokens >= vocabulary_size))
        if wrong.any():
            row, at = np.argwhere(wrong)[0]
            raise UsageError(
                f"{name}[{row}, {at}] is {tokens[row, at]}, which is no id of the "
                f"model's vocabulary; take ids in [0, {vocabulary_size})."
            )


def _check_shapes(prompts: Prompts) -> None:
    tokens = (np.shape(prompts.inputs), np.shape(prompts.targets))
    if any(len(shape) != 2 for shape in tokens) or 0 in (tokens[0][0], tokens[1][-1]):
        raise UsageError(
            f"inputs and targets of prompts have the shapes {tokens[0]} and "
            f"{tokens[1]}; give [B, I] and [B, J] with B ≥ 1 and J ≥ 1."
        )
    batch = tokens[0][0]
    inputs, targets, rows = (batch, tokens[0][1]), (batch, tokens[1][1]), (batch,)
    wanted = (inputs, inputs, rows, targets, targets, rows, rows)
    for name, array, shape in zip(Prompts._fields, prompts, wanted, strict=True):
        if np.shape(array) != shape:
            raise UsageError(
                f"{name} of prompts has the shape {np.shape(array)}; beside inputs "
                f"of {inputs} and targets of {targets} it must be {shape}."
            )


def _check_range(name: str, values, most, meaning: str) -> None:
    values = np.asarray(values)
    most = np.broadcast_to(most, values.shape)
    wrong = (values < 0) | (values > most)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UsageError(
            f"{name}[{row}] is {values[row]}; set it within [0, {most[row]}]: "
            f"{most[row]} is {meaning}."
        )

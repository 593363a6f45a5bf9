"""One Example of a recorded row, taken out of the row for display."""

import inspect
from collections.abc import Iterable

import numpy as np

from ...models.rows import PREDICTION_FIELDS, Batch, Memory, Stream
from ...objectives.registry import objectives
from ..tokens.vocabulary import Vocabulary
from .scene import Scene, slots_of


def shortest_scenes(batch: Batch, vocabulary: Vocabulary) -> list[Scene]:
    """The shortest Example of each objective in some rows, ordered by the objective.

    Args:
      batch: of packed rows.
      vocabulary: of the tokens.
    """
    found: dict[int, tuple[int, int, int]] = {}
    for objective, row, segment, size in _segments(batch):
        if objective not in found or size < found[objective][0]:
            found[objective] = size, row, segment
    known = {objective.id: objective for objective in objectives().values()}
    scenes = []
    for id_, (_, row, segment) in sorted(found.items()):
        about = inspect.getdoc(known[id_].function) or ""
        example = cut(batch, row, segment)
        name, text = known[id_].name, about.partition("\n")[0]
        scenes.append(scene_of(name, text, example, vocabulary))
    return scenes


def scene_of(task: str, about: str, example: Batch, vocabulary: Vocabulary) -> Scene:
    """The scene of one Example in a row of its own.

    Args:
      task: its name.
      about: what its objective does.
      example: as `cut` returns it.
      vocabulary: of the tokens.
    """
    decoder, encoder, memory = example
    if encoder is None or memory is None:
        inputs = _inputs(decoder, bos=vocabulary.special_ids.bos)
        slots = slots_of("decoder", decoder, inputs=inputs, vocab=vocabulary)
        return Scene(task, about, ("decoder",), slots)
    size = encoder.tokens.shape[1]
    slots = slots_of("encoder", encoder, inputs=size, vocab=vocabulary)
    slots += slots_of("decoder", decoder, inputs=0, vocab=vocabulary, memory=memory)
    return Scene(task, about, ("encoder", "decoder"), slots)


def cut(batch: Batch, row: int, segment: int) -> Batch:
    """One Example of a row as a batch of one row that holds nothing else."""
    decoder, start = _cut_stream(batch.decoder, row, segment)
    if batch.encoder is None or batch.memory is None:
        return Batch(decoder)
    encoder, _ = _cut_stream(batch.encoder, row, segment)
    ours = slice(start, start + decoder.tokens.shape[1])
    first, last = (np.asarray(field)[row : row + 1, ours] for field in batch.memory)
    memory = Memory(np.zeros_like(first), last - first)
    return Batch(decoder, encoder, memory)


def _cut_stream(stream: Stream, row: int, segment: int) -> tuple[Stream, int]:
    """A segment's part of a stream, renumbered from 0, and where it began."""
    ours = np.flatnonzero(np.asarray(stream.segment_ids)[row] == segment)
    start, stop = (int(ours[0]), int(ours[-1]) + 1) if ours.size else (0, 0)
    at = np.asarray(stream.prediction_slots)[row]
    weighted = np.asarray(stream.loss_weights)[row] > 0
    predictions = np.flatnonzero(weighted & (at >= start) & (at < stop))
    values = {
        name: np.asarray(field)[row : row + 1][
            :, predictions if name in PREDICTION_FIELDS else slice(start, stop)
        ]
        for name, field in stream._asdict().items()
    }
    for name in ("visible_from", "visible_to", "prediction_slots"):
        values[name] = values[name] - start
    return Stream(**values), start


def _inputs(decoder: Stream, *, bos: int) -> int:
    """How many slots come before the targets, which begin with a slot that holds BOS.

    Inputs that begin with BOS themselves see ahead of it, which the first target's
    slot does not.
    """
    tokens, sees = np.asarray(decoder.tokens)[0], np.asarray(decoder.visible_to)[0]
    firsts = np.flatnonzero((tokens == bos) & (sees == 1 + np.arange(len(tokens))))
    return int(firsts[0]) if firsts.size else len(tokens)


def _segments(batch: Batch) -> Iterable[tuple[int, int, int, int]]:
    """Objective, row, segment and slots of each Example."""
    streams = [batch.decoder] + ([batch.encoder] if batch.encoder else [])
    found: dict[tuple[int, int], int] = {}
    for stream in streams:
        rows, at = np.nonzero(np.asarray(stream.loss_weights))
        slots = np.asarray(stream.prediction_slots)[rows, at]
        segments = np.asarray(stream.segment_ids)[rows, slots]
        objectives_ = np.asarray(stream.objective_ids)[rows, at]
        places = zip(rows.tolist(), segments.tolist(), strict=True)
        found |= dict(zip(places, objectives_.tolist(), strict=True))
    for (row, segment), objective in found.items():
        size = sum(
            int((np.asarray(stream.segment_ids)[row] == segment).sum())
            for stream in streams
        )
        yield objective, row, segment, size

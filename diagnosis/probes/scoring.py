"""Log-probabilities of what Examples ask for, many packed into rows at a time."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float32, PyTree

from ...models.loss import at_slots
from ...models.rows import Batch, RowShape
from ...models.vocabulary_loss import vocabulary_loss
from ...objectives.example import Example
from ...tasks.layout import Placed, layout
from ...tasks.packing import collate, first_fit

Scorer = Callable[[PyTree, Sequence[Example]], list[Float32[np.ndarray, " _"]]]


def make_scorer(
    graph: nnx.GraphDef, shape: RowShape, *, bos: int, batch_rows: int
) -> Scorer:
    """Compiles the scoring of a model, once for all Examples and parameters.

    Args:
      graph: the model's structure (`nnx.split`).
      shape: rows that every Example fits.
      bos: id that the first target is asked from.
      batch_rows: rows that are computed at a time.

    Returns:
      `(params, examples) -> log-probabilities` of each Example's supervised tokens, in
      nats: those in place, then the targets.
    """
    place = layout(shape, bos=bos)

    @jax.jit
    def run(params: PyTree, batch: Batch):
        model = nnx.merge(graph, params)
        hidden = model(batch)
        return [
            -vocabulary_loss(
                at_slots(state, jnp.asarray(stream.prediction_slots)),
                model.projection(),
                jnp.asarray(stream.targets),
                chunk=model.config.loss_chunk,
            ).nll
            for stream, state in (
                (batch.encoder, hidden.encoder),
                (batch.decoder, hidden.decoder),
            )
            if stream is not None
        ]

    def score(params: PyTree, examples: Sequence[Example]):
        placed = [place(example) for example in examples]
        number = {id(example): n for n, example in enumerate(placed)}
        rows = list(first_fit(placed, shape))
        found: list[Float32[np.ndarray, " _"]] = [np.zeros(0, np.float32)] * len(placed)
        for first in range(0, len(rows), batch_rows):
            part = rows[first : first + batch_rows]
            filled = part + [[]] * (batch_rows - len(part))
            streams = [np.asarray(x) for x in run(params, collate(filled, shape))]
            for row, members in enumerate(part):
                for example, scores in zip(
                    members, _dealt(members, [s[row] for s in streams]), strict=True
                ):
                    found[number[id(example)]] = scores
        return found

    return score


def _dealt(
    members: Sequence[Placed], streams: Sequence[Float32[np.ndarray, " _"]]
) -> list[Float32[np.ndarray, " _"]]:
    """A row's predictions, to the Examples that they are of."""
    at = [0] * len(streams)
    found = []
    for example in members:
        own = [s for s in (example.encoder, example.decoder) if s is not None]
        parts = []
        for n, slots in enumerate(own):
            size = len(slots.targets)
            parts.append(streams[n][at[n] : at[n] + size])
            at[n] += size
        found.append(np.concatenate(parts))
    return found

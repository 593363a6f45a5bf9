"""What a model says of what Examples ask for, many packed into rows at a time."""

import functools
from collections.abc import Callable, Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import PyTree, Shaped

from ....models.build import Model
from ....models.loss import at_slots
from ....models.rows import Batch, RowShape
from ....models.vocabulary_loss import logits, vocabulary_loss
from ....objectives.example import Example
from ....tasks.rows.layout import Placed, layout
from ....tasks.rows.packing import collate, first_fit

Answer = Literal["log-probability", "guess"]
Answers = Callable[[Sequence[Example]], list[Shaped[np.ndarray, " _"]]]


def make_answers(
    model: Model, shape: RowShape, *, answer: Answer, bos: int, batch_rows: int
) -> Answers:
    """What a model says of each supervised token of Examples.

    It is compiled when it is first called; a model of the same configuration, say a
    later checkpoint, finds the compiled program again.

    Args:
      model: either architecture.
      shape: rows that every Example fits.
      answer: "log-probability" of the token, in nats; or the model's "guess", the id of
        the token that it finds most probable.
      bos: id that the first target is asked from.
      batch_rows: rows that are computed at a time.

    Returns:
      `examples -> answers` of each Example: tokens in place, then targets.
    """
    graph, params = nnx.split(model)
    place = layout(shape, bos=bos)

    def answers(examples: Sequence[Example]) -> list[Shaped[np.ndarray, " _"]]:
        placed = [place(example) for example in examples]
        number = {id(example): n for n, example in enumerate(placed)}
        rows = list(first_fit(placed, shape))
        found: list[Shaped[np.ndarray, " _"]] = [np.zeros(0)] * len(placed)
        for first in range(0, len(rows), batch_rows):
            part = rows[first : first + batch_rows]
            filled = part + [[]] * (batch_rows - len(part))
            batch = collate(filled, shape)
            said = [np.asarray(x) for x in _run(params, batch, graph, answer)]
            for row, members in enumerate(part):
                dealt = _dealt(members, [stream[row] for stream in said])
                for example, own in zip(members, dealt, strict=True):
                    found[number[id(example)]] = own
        return found

    return answers


@functools.partial(jax.jit, static_argnames=("graph", "answer"))
def _run(params: PyTree, batch: Batch, graph: nnx.GraphDef, answer: Answer):
    """Answers of each stream, [B P]: the encoder's first."""
    model: Model = nnx.merge(graph, params)
    hidden = model(batch)
    streams = ((batch.encoder, hidden.encoder), (batch.decoder, hidden.decoder))
    found = []
    for stream, state in streams:
        if stream is None or state is None:
            continue
        asked = at_slots(state, jnp.asarray(stream.prediction_slots))
        if answer == "guess":
            found.append(jnp.argmax(logits(asked, model.projection()), axis=-1))
            continue
        targets = jnp.asarray(stream.targets)
        chunk = model.config.loss_chunk
        loss = vocabulary_loss(asked, model.projection(), targets, chunk=chunk)
        found.append(-loss.nll)
    return found


def _dealt(
    members: Sequence[Placed], streams: Sequence[Shaped[np.ndarray, " _"]]
) -> list[Shaped[np.ndarray, " _"]]:
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

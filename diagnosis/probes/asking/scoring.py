"""A model's answers to Examples, packed into rows."""

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
from ....tasks.rows.layout import lay_out
from ....tasks.rows.packing import collate, first_fit

Answer = Literal["log-probability", "guess"]
Answers = Callable[[Sequence[Example]], list[Shaped[np.ndarray, " _"]]]


def make_answers(
    model: Model, shape: RowShape, *, answer: Answer, bos: int, batch_rows: int
) -> Answers:
    """A function that gives a model's answer at each supervised token of Examples.

    Compiled at its first call; models of the same configuration, such as a later
    checkpoint, share the compiled program.

    Args:
      model: either architecture.
      shape: of rows that hold every Example.
      answer: "log-probability" of the token, in nats, or the model's "guess", the most
        probable id.
      bos: id before the first target.
      batch_rows: rows in a batch.

    Returns:
      `examples -> answers` for each Example: tokens in place, then targets.
    """
    graph, params = nnx.split(model)

    def answers(examples: Sequence[Example]) -> list[Shaped[np.ndarray, " _"]]:
        if not examples:
            return []
        # Packing copies the objective's id to each prediction. It is not used here, so
        # the number of the Example, from 1, takes its place.
        laid_out = lay_out(examples, shape, bos=bos).placed()
        placed = [e._replace(objective=n) for n, e in enumerate(laid_out, 1)]
        rows = list(first_fit(placed, shape))
        numbers, outputs = [], []
        for first in range(0, len(rows), batch_rows):
            part = rows[first : first + batch_rows]
            batch = collate(part + [[]] * (batch_rows - len(part)), shape)
            streams = [s for s in (batch.encoder, batch.decoder) if s is not None]
            numbers += [stream.objective_ids.ravel() for stream in streams]
            outputs += [
                np.asarray(x).ravel() for x in _run(params, batch, graph, answer)
            ]
        number, values = np.concatenate(numbers), np.concatenate(outputs)
        ends = np.cumsum(np.bincount(number, minlength=len(placed) + 1))
        # Number 0 marks unused predictions.
        return np.split(values[np.argsort(number, kind="stable")], ends[:-1])[1:]

    return answers


@functools.partial(jax.jit, static_argnames=("graph", "answer"))
def _run(params: PyTree, batch: Batch, graph: nnx.GraphDef, answer: Answer):
    """Answers of each stream, [B P]: the encoder's first."""
    model: Model = nnx.merge(graph, params)
    hidden = model(batch)
    streams = ((batch.encoder, hidden.encoder), (batch.decoder, hidden.decoder))
    answers = []
    for stream, state in streams:
        if stream is None or state is None:
            continue
        states = at_slots(state, jnp.asarray(stream.prediction_slots))
        if answer == "guess":
            answers.append(jnp.argmax(logits(states, model.projection()), axis=-1))
            continue
        targets = jnp.asarray(stream.targets)
        chunk = model.config.loss_chunk
        loss = vocabulary_loss(states, model.projection(), targets, chunk=chunk)
        answers.append(-loss.nll)
    return answers

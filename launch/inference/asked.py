"""A trained model that is asked: what it holds a question to, and its likelihoods."""

import contextlib
import functools
from collections.abc import Iterator, Sequence

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jaxtyping import Bool, PyTree, Shaped

from ...diagnosis.probes.asking.scoring import Answers, make_answers
from ...diagnosis.probes.asking.subject import require_ids, scoring_rows
from ...models.axes import partition_spec
from ...models.rows import RowShape
from ...objectives.errors import UsageError, require_count
from ...objectives.example import Example
from ...objectives.mode import show_mode
from ...objectives.special_ids import SpecialIds
from ...tasks.rows.layout import capacities, layout
from ...tasks.tokens.vocabulary import Vocabulary, vocabulary
from ..training.mesh import MeshShape, make_mesh
from .open import TrainedModel
from .trained_forms import Form, TrainedForms, trained_forms

BATCH_ROWS = 32
"""Rows that are asked together."""


class AskedModel:
    """A trained model, its vocabulary, and the forms that it was trained in.

    Attributes:
      trained: the model, its mixture and its rows.
      vocab: its vocabulary.
      forms: in which its mixture trained it.
      batch_rows: rows that are asked together: a multiple of the devices.
    """

    def __init__(self, trained: TrainedModel, *, batch_rows: int = BATCH_ROWS):
        """Nothing is compiled or measured yet.

        Raises:
          UsageError: the model lacks ids of its vocabulary.
        """
        require_count("batch_rows", batch_rows)
        self.trained = trained
        self.vocab: Vocabulary = vocabulary(trained.mixture.vocabulary)
        require_ids(trained.model, self.vocab)
        devices = jax.device_count()
        self.batch_rows = -(-batch_rows // devices) * devices

    @property
    def ids(self) -> SpecialIds:
        """The reserved ids."""
        return self.vocab.special_ids

    @property
    def rows(self) -> RowShape:
        """Rows as long as those of training, in which every slot may predict."""
        return scoring_rows(self.trained.rows)

    @functools.cached_property
    def forms(self) -> TrainedForms:
        """The forms in which the mixture trained the model."""
        return trained_forms(self.trained.mixture, self.trained.rows)

    @functools.cached_property
    def mesh(self) -> Mesh:
        """All devices; rows of a batch are divided among them."""
        return make_mesh(MeshShape(data=-1))

    def allowed(self, *extra: int) -> Bool[np.ndarray, " V"]:
        """The ids of text, and some more, among those of the model."""
        ids = np.zeros(self.trained.model.projection().shape[0], bool)
        ids[[*self.ids.text, *extra]] = True
        return ids

    @contextlib.contextmanager
    def on_mesh(self) -> Iterator[None]:
        """The context in which the model computes."""
        with jax.set_mesh(self.mesh):
            yield

    def placed(self, batch: PyTree) -> PyTree:
        """A batch of rows, divided among the devices."""
        by_row = NamedSharding(self.mesh, partition_spec(("batch",)))
        return jax.device_put(batch, by_row)

    def with_mode_token(self, example: Example, form: Form) -> Example:
        """The Example with the mode token that training showed in this form."""
        return show_mode(example, self.ids, mode=self.forms.shown.get(form, "none"))

    def require_fits(self, example: Example, what: str) -> Example:
        """The Example, if it fits a row.

        Raises:
          UsageError: it does not; the message gives the limit.
        """
        sizes = layout(self.rows, bos=self.ids.bos)(example).sizes
        for size, most in zip(sizes, capacities(self.rows), strict=True):
            if size > most:
                raise UsageError(
                    f"{what} takes {size} slots, and rows of this run hold {most}; "
                    f"shorten it by {size - most} tokens."
                )
        return example

    def room(self, example: Example, given: int, what: str) -> int:
        """How many tokens may be generated behind the given targets of an Example.

        Raises:
          UsageError: none; the message gives the limit.
        """
        shape, inputs = self.rows, len(example.inputs)
        if shape.encoder is not None and inputs > shape.encoder.slots:
            raise UsageError(
                f"{what} takes {inputs} slots of the encoder, and rows of this run "
                f"hold {shape.encoder.slots}; shorten it by "
                f"{inputs - shape.encoder.slots} tokens."
            )
        taken = given + (inputs if shape.encoder is None else 0)
        room = shape.decoder.slots - taken
        if room < 1:
            raise UsageError(
                f"{what} takes {taken} slots, and rows of this run hold "
                f"{shape.decoder.slots}, one of them at least for the answer; shorten "
                f"it by {1 - room} tokens."
            )
        return room

    @functools.cached_property
    def _log_probabilities(self) -> Answers:
        return make_answers(
            self.trained.model,
            self.rows,
            answer="log-probability",
            bos=self.ids.bos,
            batch_rows=self.batch_rows,
        )

    def score(
        self, examples: Sequence[Example]
    ) -> list[Shaped[np.ndarray, " predictions"]]:
        """Log p of each predicted token of each Example, in nats."""
        with self.on_mesh():
            return self._log_probabilities(examples)

"""SeqIO Tasks measured on a trained model, in the form that it was trained in."""

import logging
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int32

from ...diagnosis.probes.asking.forms import Mode
from ...diagnosis.probes.asking.subject import Subject, fitted, subject
from ...diagnosis.probes.asking.writing import write
from ...diagnosis.traits.objective_traits import mode_tokens, trained_modes
from ...diagnosis.traits.traits import mixture_traits
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...tasks.tokens.vocabulary import vocabulary
from .open import TrainedModel

_LOG = logging.getLogger(__name__)

Tokens = Int32[np.ndarray, " _"]


def seqio_metrics(
    trained: TrainedModel,
    names: Sequence[str],
    *,
    split: str = "validation",
    most: int | None = None,
    mode: Mode | None = None,
) -> dict[str, dict[str, float]]:
    """The metrics of SeqIO Tasks, by Task (`tasks/seqio_tasks/evaluator.py`).

    `inputs` are the context and `targets` what follows it, laid out as the objective of
    the mode does. Predictions are greedy and end at EOS; scores are log-likelihoods of
    the targets in nats, EOS included if the Task ends them so. What does not fit a row
    loses the beginning of its inputs.

    Args:
      trained: the model.
      names: of SeqIO Tasks or mixtures, registered by now.
      split: of the Tasks.
      most: examples of a Task; None: all.
      mode: in which the model is asked; None for the best that it was trained in.

    Raises:
      UsageError: as `evaluate_tasks`; or targets fill a whole row.
    """
    from ...tasks.seqio_tasks.evaluator import evaluate_tasks

    taught = mixture_traits(trained.mixture, trained.rows).overall["examples"]
    asked = subject(
        trained.model,
        trained.rows,
        vocabulary(trained.mixture.vocabulary),
        trained=trained_modes(taught),
        mode_tokens=mode_tokens(taught),
        mode=mode,
    )
    questions = Questions(asked)
    return evaluate_tasks(
        names,
        vocabulary=asked.vocab,
        predict=questions.predict,
        score=questions.score,
        most_tokens=asked.slots,
        split=split,
        most=most,
    )


class Questions:
    """What an evaluation asks of a model."""

    def __init__(self, subject: Subject):
        self._subject = subject

    def predict(self, inputs: Sequence[Tokens], most: int) -> list[Tokens]:
        """What the model writes after each, `most` tokens at most, EOS included.

        Raises:
          UsageError: the mode writes nothing from left to right.
        """
        if self._subject.mode == "masked":
            raise UsageError(
                "metrics of predictions need a model that writes from left to right, "
                "and this one was trained in masked mode alone; only metrics of scores "
                "can be measured."
            )
        room = np.zeros(most, np.int32)
        examples = [self._examples(before, room)[0] for before in inputs]
        return [text[:most] for text in write(self._subject, examples)]

    def score(self, inputs: Sequence[Tokens], targets: Sequence[Tokens]) -> list[float]:
        """The log-likelihood of each target after its inputs, in nats."""
        examples: list[Example] = []
        owners: list[int] = []
        for number, (before, after) in enumerate(zip(inputs, targets, strict=True)):
            if len(after):
                mine = self._examples(before, after)
                examples += mine
                owners += [number] * len(mine)
        totals = np.zeros(len(inputs))
        for owner, answer in zip(owners, self._subject.score(examples), strict=True):
            totals[owner] += float(answer.sum())
        return totals.tolist()

    def _examples(self, before: Tokens, after: Tokens) -> list[Example]:
        fit = fitted(self._subject, before, after)
        if fit is None:
            raise UsageError(
                f"targets of {len(after):,} tokens do not fit the model's rows of "
                f"{self._subject.slots:,} slots; leave such examples out of the Task."
            )
        if len(fit[0]) < len(before):
            _LOG.warning(
                "inputs of %d tokens lose their first %d, to fit a row",
                *(len(before), len(before) - len(fit[0])),
            )
        return self._subject.continuation_examples(*fit)

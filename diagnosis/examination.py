"""What is measured for a diagnosis: a mixture's figures, and a checkpoint's scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np
from flax import nnx
from jaxtyping import Int

from ..models.build import Model
from ..tasks.corpora import Corpus
from ..tasks.examples.example_stream import mixed_examples
from ..tasks.examples.mixture import Mixture, split_task
from ..tasks.examples.packed_mixture import PackedMixture
from ..tasks.rows.layout import Placed, capacities, layout
from ..tasks.rows.packing import LOOK_BACK
from ..tasks.shares import share_estimates
from ..tasks.tokens.tokenised_documents import TokenisedDocuments
from ..tasks.tokens.vocabulary import vocabulary
from .audit.audit import Verdict, audit
from .probes.asking.forms import Mode
from .probes.asking.subject import subject
from .probes.battery import battery
from .probes.drift.future import leak_scores
from .probes.material import LEAST, Plan, material
from .scores.score import Failure, Score
from .traits.document_fit import Packing, document_fits, document_lengths
from .traits.objective_traits import mode_tokens
from .traits.traits import MixtureTraits, mixture_traits

EXAMPLES = 1000
"""Packed at least, to measure how full rows are and what share of the loss each has."""

Lengths = Mapping[str, Int[np.ndarray, " D"]]


class Measured(NamedTuple):
    """What was measured of a checkpoint.

    Attributes:
      step: of the checkpoint.
      scores: of the probes.
      verdicts: of the leak audit.
      left_out: a sentence for each probe that could not be made.
      mode: in which the model was asked how a text goes on.
      parameters: of the model.
    """

    step: int
    scores: tuple[Score, ...]
    verdicts: tuple[Verdict, ...]
    left_out: tuple[str, ...]
    mode: str
    parameters: int


def corpus_lengths(mixture: Mixture, *, seed: int) -> Lengths:
    """Tokens of some documents of each corpus of the mixture."""
    rng, words = np.random.default_rng(seed), vocabulary(mixture.vocabulary)
    names = {split_task(task)[0]: None for task in mixture.positive_rates()}
    return {
        name: document_lengths(
            TokenisedDocuments(mixture.corpus(name), "train", words), rng
        )
        for name in names
    }


def mixture_figures(
    asked: PackedMixture, lengths: Lengths, *, seed: int
) -> tuple[MixtureTraits, Packing]:
    """What the mixture asks of a model, and how its Examples fill rows.

    Args:
      asked: the mixture, on rows, in batches, and the normalisation of its loss.
      lengths: of documents of each of its corpora.
      seed: of the Examples.
    """
    placed = list(_sample(asked, seed=seed))
    packed = share_estimates.pack(placed, asked.rows)
    shares = share_estimates.shares(share_estimates.sizes(placed))
    source = f"{len(placed):,} packed examples"
    traits = mixture_traits(
        asked.mixture,
        asked.rows,
        lengths=lengths,
        normalisation=asked.normalisation,
        loss=share_estimates.loss_of(asked, shares, packed),
        loss_source=source,
        seed=seed,
    )
    fits = document_fits(asked.mixture, asked.rows, lengths)
    return traits, Packing(fits, packed.slots, len(placed))


def _sample(asked: PackedMixture, *, seed: int) -> Iterator[Placed]:
    """Examples enough to close as many rows as packing keeps open, and as many more."""
    place = layout(asked.rows, bos=vocabulary(asked.mixture.vocabulary).special_ids.bos)
    room = np.array(capacities(asked.rows))
    taken = np.zeros(len(room))
    stream = mixed_examples(asked.mixture, asked.rows, seed=seed)
    for number, example in enumerate(map(place, stream)):
        if number >= EXAMPLES and (taken / room).max() >= 2 * LOOK_BACK:
            return
        yield example
        taken += example.sizes


def checkpoint_scores(
    model: Model,
    mixed: PackedMixture,
    traits: MixtureTraits,
    corpus: Corpus,
    plan: Plan,
    *,
    step: int,
    failures: Sequence[Failure],
    mode: Mode | None,
    progress: Callable[[str], None],
) -> Measured:
    """Audits a checkpoint and runs the probes of some failures on it.

    Args:
      model: with the checkpoint's parameters.
      mixed: the mixture and the rows that it was trained on.
      traits: of its mixture; they say which modes it was trained in.
      corpus: that the probes read.
      plan: how much is measured.
      step: of the checkpoint.
      failures: whose probes are run.
      mode: in which the model is asked; None is the best that it was trained in.
      progress: told the name of each probe when it begins.

    Raises:
      ValueError: the model lacks ids of its vocabulary, or the corpus has too few
        documents.
    """
    words = vocabulary(mixed.mixture.vocabulary)
    taught = traits.overall["examples"]
    asked = subject(
        model,
        mixed.rows,
        words,
        trained={str(m): share for m, share in taught.modes.items()},
        shown=mode_tokens(taught),
        mode=mode,
    )
    read = material(asked, corpus, plan)
    progress("leak audit")
    objectives, shape = mixed.mixture.objectives(), mixed.rows.architecture
    verdicts = tuple(
        audit(model, objectives, words.special_ids, architecture=shape, seed=plan.seed)
    )
    found = list(battery(asked, read, failures, progress=progress))
    leaks = list(leak_scores(verdicts)) if "drift" in failures else []
    scores, few = _worth([one for one in found if not isinstance(one, str)])
    left_out = [one for one in found if isinstance(one, str)]
    return Measured(
        step,
        (*leaks, *scores),
        verdicts,
        (*left_out, *few),
        asked.mode,
        sum(int(x.size) for x in jax.tree.leaves(nnx.state(model))),
    )


def _worth(scores: Sequence[Score]) -> tuple[list[Score], list[str]]:
    """Scores of enough documents, and a sentence for each probe with kinds of fewer."""
    few: dict[str, list[str]] = {}
    for score in scores:
        if score.documents < LEAST:
            few.setdefault(score.probe, []).append(score.kind)
    told = [
        f"{probe}, of {'; '.join(dict.fromkeys(kinds))}: fewer than {LEAST} documents."
        for probe, kinds in few.items()
    ]
    return [score for score in scores if score.documents >= LEAST], told

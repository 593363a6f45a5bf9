"""The measurements of a diagnosis: of a mixture, and of a checkpoint."""

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
from .traits.objective_traits import mode_tokens, trained_modes
from .traits.traits import MixtureTraits, mixture_traits

EXAMPLES = 1000
"""Least Examples to pack, to measure how full rows are and the shares of the loss."""

Lengths = Mapping[str, Int[np.ndarray, " D"]]


class Measured(NamedTuple):
    """The measurements of a checkpoint.

    Attributes:
      step: of the checkpoint.
      scores: of the probes.
      verdicts: of the leak audit.
      left_out: a sentence for each probe that could not be run.
      mode: in which the model was asked to continue texts.
      parameters: number of parameters.
    """

    step: int
    scores: tuple[Score, ...]
    verdicts: tuple[Verdict, ...]
    left_out: tuple[str, ...]
    mode: str
    parameters: int


def corpus_lengths(mixture: Mixture, *, seed: int) -> Lengths:
    """Tokens in a sample of documents of each corpus of the mixture."""
    rng, vocab = np.random.default_rng(seed), vocabulary(mixture.vocabulary)
    names = {split_task(task)[0]: None for task in mixture.positive_rates()}
    return {
        name: document_lengths(
            TokenisedDocuments(mixture.corpus(name), "train", vocab), rng
        )
        for name in names
    }


def mixture_figures(
    packed: PackedMixture, lengths: Lengths, *, seed: int
) -> tuple[MixtureTraits, Packing]:
    """The traits of a mixture, and how its Examples fill rows.

    Args:
      packed: the mixture, on rows, in batches, and the normalisation of its loss.
      lengths: of documents of each of its corpora.
      seed: of the Examples.
    """
    placed = list(_sample(packed, seed=seed))
    rows = share_estimates.pack(placed, packed.rows)
    shares = share_estimates.shares(share_estimates.sizes(placed))
    source = f"{len(placed):,} packed examples"
    traits = mixture_traits(
        packed.mixture,
        packed.rows,
        lengths=lengths,
        normalisation=packed.normalisation,
        loss=share_estimates.loss_of(packed, shares, rows),
        loss_source=source,
        seed=seed,
    )
    fits = document_fits(packed.mixture, packed.rows, lengths)
    return traits, Packing(fits, rows.slots, len(placed))


def _sample(packed: PackedMixture, *, seed: int) -> Iterator[Placed]:
    """Examples for twice the rows that packing keeps open, and at least `EXAMPLES`."""
    ids = vocabulary(packed.mixture.vocabulary).special_ids
    place = layout(packed.rows, bos=ids.bos)
    room = np.array(capacities(packed.rows))
    used = np.zeros(len(room))
    stream = mixed_examples(packed.mixture, packed.rows, seed=seed)
    for number, example in enumerate(map(place, stream)):
        if number >= EXAMPLES and (used / room).max() >= 2 * LOOK_BACK:
            return
        yield example
        used += example.sizes


def checkpoint_scores(
    model: Model,
    packed: PackedMixture,
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
      packed: the mixture and the rows that it was trained on.
      traits: of the mixture, which tell the modes that it trains.
      corpus: that the probes read.
      plan: the extent of the measurements.
      step: of the checkpoint.
      failures: whose probes are run.
      mode: in which to query the model; None for the best that it was trained in.
      progress: called with the name of each probe when it begins.

    Raises:
      ValueError: the model lacks ids of its vocabulary, or the corpus has too few
        documents.
    """
    vocab = vocabulary(packed.mixture.vocabulary)
    taught = traits.overall["examples"]
    tested = subject(
        model,
        packed.rows,
        vocab,
        trained=trained_modes(taught),
        mode_tokens=mode_tokens(taught),
        mode=mode,
    )
    texts = material(tested, corpus, plan)
    progress("leak audit")
    objectives, shape = packed.mixture.objectives(), packed.rows.architecture
    verdicts = tuple(
        audit(model, objectives, vocab.special_ids, architecture=shape, seed=plan.seed)
    )
    results = list(battery(tested, texts, failures, progress=progress))
    leaks = list(leak_scores(verdicts)) if "drift" in failures else []
    scores, too_few = _with_enough_documents(
        [result for result in results if not isinstance(result, str)]
    )
    left_out = [result for result in results if isinstance(result, str)]
    return Measured(
        step,
        (*leaks, *scores),
        verdicts,
        (*left_out, *too_few),
        tested.mode,
        sum(int(x.size) for x in jax.tree.leaves(nnx.state(model))),
    )


def _with_enough_documents(scores: Sequence[Score]) -> tuple[list[Score], list[str]]:
    """Scores from enough documents, and a sentence for each probe with too few."""
    kinds_of_few: dict[str, list[str]] = {}
    for score in scores:
        if score.documents < LEAST:
            kinds_of_few.setdefault(score.probe, []).append(score.kind)
    sentences = [
        f"{probe}, of {'; '.join(dict.fromkeys(kinds))}: fewer than {LEAST} documents."
        for probe, kinds in kinds_of_few.items()
    ]
    return [score for score in scores if score.documents >= LEAST], sentences

"""What is measured for a diagnosis: a mixture's figures, and a checkpoint's scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np
from flax import nnx
from jaxtyping import Int

from ..diagnosis.audit import Verdict, audit
from ..diagnosis.document_fit import Packing, document_fits, document_lengths
from ..diagnosis.objective_traits import mode_tokens
from ..diagnosis.probes.asking import Mode
from ..diagnosis.probes.battery import battery
from ..diagnosis.probes.future import leak_scores
from ..diagnosis.probes.material import LEAST, Plan, material
from ..diagnosis.probes.subject import subject
from ..diagnosis.score import Failure, Score
from ..diagnosis.traits import MixtureTraits, mixture_traits
from ..tasks import measured
from ..tasks.corpora import Corpus
from ..tasks.layout import Placed, capacities, layout
from ..tasks.mixture import Mixture, split_task
from ..tasks.packing import LOOK_BACK
from ..tasks.stream import mixed_examples
from ..tasks.tokenised_documents import TokenisedDocuments
from ..tasks.vocabulary import vocabulary
from .gin_mixture import Asked, architecture_of
from .mix_show import loss_of
from .trained import Trained

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
    asked: Asked, lengths: Lengths, *, seed: int
) -> tuple[MixtureTraits, Packing]:
    """What the mixture asks of a model, and how its Examples fill rows.

    Args:
      asked: the mixture, on rows, in batches, and the normalisation of its loss.
      lengths: of documents of each of its corpora.
      seed: of the Examples.
    """
    placed = list(_sample(asked, seed=seed))
    packed = measured.pack(placed, asked.rows)
    source = f"{len(placed):,} packed examples"
    traits = mixture_traits(
        asked.mixture,
        asked.rows,
        lengths=lengths,
        normalisation=asked.normalisation,
        loss=loss_of(asked, measured.shares(measured.sizes(placed)), packed),
        loss_source=source,
        seed=seed,
    )
    fits = document_fits(asked.mixture, asked.rows, lengths)
    return traits, Packing(fits, packed.slots, len(placed))


def _sample(asked: Asked, *, seed: int) -> Iterator[Placed]:
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
    run: Trained,
    traits: MixtureTraits,
    corpus: Corpus,
    plan: Plan,
    *,
    failures: Sequence[Failure],
    mode: Mode | None,
    progress: Callable[[str], None],
) -> Measured:
    """Audits a checkpoint and runs the probes of some failures on it.

    Args:
      run: the checkpoint.
      traits: of its mixture; they say which modes it was trained in.
      corpus: that the probes read.
      plan: how much is measured.
      failures: whose probes are run.
      mode: in which the model is asked; None is the best that it was trained in.
      progress: told the name of each probe when it begins.

    Raises:
      ValueError: the model lacks ids of its vocabulary, or the corpus has too few
        documents.
    """
    words = vocabulary(run.mixture.vocabulary)
    taught = traits.overall["examples"]
    asked = subject(
        run.model,
        run.rows,
        words,
        trained={str(m): share for m, share in taught.modes.items()},
        shown=mode_tokens(taught),
        mode=mode,
    )
    read = material(asked, corpus, plan)
    progress("leak audit")
    objectives, shape = run.mixture.objectives(), architecture_of(run.rows)
    verdicts = tuple(
        audit(
            run.model, objectives, words.special_ids, architecture=shape, seed=plan.seed
        )
    )
    found = list(battery(asked, read, failures, progress=progress))
    leaks = list(leak_scores(verdicts)) if "drift" in failures else []
    scores, few = _worth([one for one in found if not isinstance(one, str)])
    left_out = [one for one in found if isinstance(one, str)]
    return Measured(
        run.step,
        (*leaks, *scores),
        verdicts,
        (*left_out, *few),
        asked.mode,
        sum(int(x.size) for x in jax.tree.leaves(nnx.state(run.model))),
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

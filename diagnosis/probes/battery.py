"""Runs every probe of a model on a corpus."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ...models.decoding.samplers import sampled
from ...objectives.special_ids import MissingIdError, reserved_ids
from ...tasks.corpora.policies import Policies
from ...tasks.shallow.bags import text_of, words
from ...tasks.shallow.ngram import Ngrams
from ..scores.score import Failure, Score
from .asking.subject import Subject
from .choices.items import Item
from .choices.paragraphs import paragraphs
from .choices.preferences import preference_scores
from .choices.shallow import baselines, baselines_by_kind
from .continuation.further import continuation_items
from .continuation.readouts import READOUTS, Readout, continuation_scores
from .drift.block_shuffle import block_shuffle
from .drift.fact_pairs import fact_pairs
from .drift.free_generation import Written, generation_scores, write_on
from .drift.jump_ahead import jump_ahead
from .drift.minimal_pairs import minimal_pairs
from .material import LEAST, Material
from .reconstruction.corruptions import excerpts
from .reconstruction.filling import learn_filler
from .reconstruction.restoration import restoration_scores

TEMPERATURE = 0.7
"""Temperature of free generation, below 1 so that rare samples do not count."""

Probe = Callable[[Subject], list[Score]]
"""Measures a model on prepared items."""

Prepare = Callable[[Subject, Material], Probe]
"""Prepares the items and baselines of a probe, for the model given or any of the same
shape. Raises `NotApplicable`."""

Make = Callable[[Material, str, np.random.Generator], list[Item]]
"""Makes the items of a probe from the documents of a split."""


def battery(
    subject: Subject,
    material: Material,
    failures: Sequence[Failure],
    *,
    progress: Callable[[str], None] = lambda name: None,
) -> Iterator[Score | str]:
    """Runs every probe of some failures.

    Args:
      subject: the model.
      material: the corpus.
      failures: whose probes are run.
      progress: called with the name of each probe when it begins.

    Yields:
      Scores, and a sentence for each probe that is not applicable.
    """
    for failure in failures:
        for name, prepare in PROBES[failure].items():
            progress(name)
            try:
                scores = prepare(subject, material)(subject)
            except (NotApplicable, MissingIdError) as reason:
                yield f"{name}: {reason}"
                continue
            yield from scores


class NotApplicable(Exception):
    """A probe cannot measure this model on this corpus; says why."""


def _choices(make: Make, ask: Callable[..., list[Score]]) -> Prepare:
    """A probe of which of two texts a model prefers.

    Args:
      make: makes its items.
      ask: takes a model, `items`, their shallow `baselines` by kind, and a `seed`.
    """

    def prepare(subject: Subject, material: Material) -> Probe:
        seed = material.plan.seed
        rng = np.random.default_rng(seed)
        tested = make(material, "validation", rng)
        fitted = make(material, "train", rng)
        count = len({item.document for item in tested})
        if count < LEAST:
            raise NotApplicable(
                f"{count} of {len(material.tested)} documents allow for an item, and "
                f"{LEAST} are needed."
            )
        shallow: dict[str, dict[str, float]] = {}
        if len(fitted) >= 2 * LEAST:  # fewer do not allow a fit
            shallow["all"] = baselines(fitted, tested)
            shallow |= baselines_by_kind(fitted, tested)
        return functools.partial(ask, items=tested, baselines=shallow, seed=seed)

    return prepare


def _drift(name: str, make: Make, **settings) -> dict[str, Prepare]:
    """A probe of drift by name; settings are those of `preference_scores`."""
    ask = functools.partial(preference_scores, failure="drift", probe=name, **settings)
    return {name: _choices(make, ask)}


def _of_texts(make: Callable[..., list[Item]], **shares: tuple[int, int]) -> Make:
    """Makes items of texts; limits are fractions `(a, b)` of the words of a row."""

    def items(corpus: Material, split: str, rng: np.random.Generator) -> list[Item]:
        limits = {name: corpus.most_words * a // b for name, (a, b) in shares.items()}
        return make(corpus.texts(split), rng, **limits)

    return items


def _minimal_pairs(read: Material, split: str, rng: np.random.Generator) -> list[Item]:
    corpus, texts, most = read.corpus, read.texts(split), read.most_words
    if not isinstance(corpus, Policies):
        return minimal_pairs(texts, rng, most_words=most)
    indices = range(len(texts))
    return fact_pairs(corpus, split, indices=indices, rng=rng, each=2, most_words=most)


def _by_each_readout(subject: Subject, **settings) -> list[Score]:
    labels = reserved_ids(subject.vocab.special_ids)["labels"]
    readouts: Sequence[Readout] = READOUTS if labels else ("likelihood",)
    by_readout = (continuation_scores(subject, readout=r, **settings) for r in readouts)
    return list(itertools.chain.from_iterable(by_readout))


def _free_generation(subject: Subject, material: Material) -> Probe:
    if not isinstance(material.corpus, Policies):
        raise NotApplicable(
            f"only facts of the corpus 'policies' can be parsed back from free text, "
            f"and the probes read {material.corpus.name!r}."
        )
    # The beginning, its MASK and EOS take less than half a row.
    longest = subject.slots // 2 - 2
    texts = [
        (beginning, text)
        for text in material.tested
        if len(subject.vocab.encode(beginning := paragraphs(text)[0])) <= longest
    ][: material.plan.written]
    if len(texts) < LEAST:
        raise NotApplicable(
            f"the first paragraphs of {len(texts)} of {len(material.tested)} documents "
            f"take half a row of the model or less, and {LEAST} are needed."
        )
    language = Ngrams(words(text) for text in material.fitted)
    seed = material.plan.seed
    rng = np.random.default_rng(seed)
    continued = [
        _continued(language, beginning, length=len(words(text)), rng=rng)
        for beginning, text in texts
    ]
    beginnings = [beginning for beginning, _ in texts]
    sampler = sampled(temperature=TEMPERATURE)

    def probe(subject: Subject) -> list[Score]:
        written = write_on(subject, beginnings, sampler=sampler, seed=seed)
        return generation_scores(subject, written, baselines=continued, seed=seed)

    return probe


def _continued(
    language: Ngrams, beginning: str, *, length: int, rng: np.random.Generator
) -> Written:
    """A 5-gram model's continuation, as long as the document of the beginning."""
    text_words = words(beginning)
    for _ in range(length - len(text_words)):
        text_words.append(language.draw(text_words, rng))
    # Punctuation is attached as in documents, so that facts beside it can be parsed.
    added = text_of(text_words[len(words(beginning)) :])
    return Written(beginning, f"{beginning} {added}")


def _restoration(subject: Subject, material: Material) -> Probe:
    plan = material.plan
    taken = excerpts(subject, material.tested[: plan.restored])
    if len(taken) < LEAST:
        raise NotApplicable(
            f"{len(taken)} of {plan.restored} documents are long enough to be "
            f"restored, and {LEAST} are needed."
        )
    filler = learn_filler(subject.vocab.encode(text) for text in material.fitted)
    return functools.partial(
        restoration_scores,
        excerpts=taken,
        rates=plan.rates,
        filler=filler,
        seed=plan.seed,
    )


PROBES: Mapping[Failure, Mapping[str, Prepare]] = {
    "drift": {
        "free generation": _free_generation,
        **_drift("minimal pairs", _minimal_pairs),
        **_drift(
            "jump-ahead",
            _of_texts(jump_ahead, most_words=(2, 3), most_after=(1, 3)),
            better="lower",
        ),
        # Not a whole row: a document may have more tokens a word than the average.
        **_drift(
            "block shuffle", _of_texts(block_shuffle, most_words=(4, 5)), prior="kept"
        ),
    },
    "continuation": {
        "continuation": _choices(continuation_items, _by_each_readout),
    },
    "reconstruction": {"restoration": _restoration},
}
"""The probes of each failure, by name. `future.leak_scores` is the fifth of drift."""

"""Every probe of a model on a corpus, one after another."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from ...models.samplers import sampled
from ...tasks.corpora.policies import Policies
from ...tasks.shallow.bags import text_of, words
from ...tasks.shallow.ngram import Ngrams
from ..scores.score import Failure, Score
from .asking.subject import Subject
from .choices.items import Item, require_items
from .choices.paragraphs import paragraphs
from .choices.preferences import Prior
from .choices.preferred import Baselines, preference_scores
from .choices.shallow import baselines, baselines_by_kind
from .continuation.continuations import continuations
from .continuation.readouts import READOUTS, continuation_scores
from .drift.block_shuffle import block_shuffle
from .drift.fact_pairs import fact_pairs
from .drift.free_generation import Written, generation_scores, write_on
from .drift.jump_ahead import jump_ahead
from .drift.minimal_pairs import minimal_pairs
from .material import LEAST, Material
from .reconstruction.filling import learn_filler
from .reconstruction.restoration import restoration_scores
from .reconstruction.restored import excerpts

TEMPERATURE = 0.7
"""Of free generation: below 1, so that rare slips of the tongue do not count."""

Probe = Callable[[Subject], list[Score]]
"""Measures a model on items that were made before."""

Prepare = Callable[[Subject, Material], Probe]
"""Makes the items of a probe, and fits its baselines; any model like the one given may
be measured on them. Raises `NotApplicable`."""


def battery(
    subject: Subject,
    given: Material,
    failures: Sequence[Failure],
    *,
    progress: Callable[[str], None] = lambda name: None,
) -> Iterator[Score | str]:
    """Runs every probe of some failures.

    Args:
      subject: the model.
      given: the corpus.
      failures: whose probes are run.
      progress: told the name of each probe when it begins.

    Yields:
      Scores; and a sentence for each probe that the corpus does not allow for.
    """
    for failure in failures:
        for name, prepare in PROBES[failure].items():
            progress(name)
            try:
                found = prepare(subject, given)(subject)
            except NotApplicable as reason:
                yield f"{name}: {reason}"
                continue
            yield from found


class NotApplicable(Exception):
    """A probe has nothing to measure on this corpus or of this model; says why."""


def _checked(items: Sequence[Item], probe: str, given: Material) -> Sequence[Item]:
    try:
        require_items(items, probe=probe, documents=len(given.tested), least=LEAST)
    except ValueError as error:
        raise NotApplicable(str(error)) from error
    return items


def _shallow(fitted: Sequence[Item], tested: Sequence[Item]) -> Baselines:
    """Baselines of each kind and of all items; none where too few allow a fit."""
    if len(fitted) < 2 * LEAST:
        return {}
    return {"all": baselines(fitted, tested), **baselines_by_kind(fitted, tested)}


def _free_generation(subject: Subject, given: Material) -> Probe:
    if not isinstance(given.corpus, Policies):
        raise NotApplicable(
            f"only facts of the corpus 'policies' can be parsed back from free text, "
            f"and the probes read {given.corpus.name!r}."
        )
    texts = _with_room(subject, given.tested)[: given.plan.written]
    if len(texts) < LEAST:
        raise NotApplicable(
            f"the first paragraphs of {len(texts)} of {len(given.tested)} documents "
            f"take half a row of the model or less, and {LEAST} are needed."
        )
    beginnings = [paragraphs(text)[0] for text in texts]
    language = Ngrams(words(text) for text in given.fitted)
    seed = given.plan.seed
    rng = np.random.default_rng(seed)
    drawn = [
        _continued(language, begun, length=len(words(text)), rng=rng)
        for begun, text in zip(beginnings, texts, strict=True)
    ]
    sampler = sampled(temperature=TEMPERATURE)

    def probe(subject: Subject) -> list[Score]:
        written = write_on(subject, beginnings, sampler=sampler, seed=seed)
        return generation_scores(subject, written, baselines=drawn, seed=seed)

    return probe


def _with_room(subject: Subject, texts: Sequence[str]) -> list[str]:
    """Texts whose beginning, its MASK and EOS take less than half a row."""
    slots = min(s.slots for s in (subject.shape.decoder, subject.shape.encoder) if s)
    words = subject.words
    return [t for t in texts if 2 * len(words.encode(paragraphs(t)[0])) <= slots - 4]


def _continued(
    language: Ngrams, begun: str, *, length: int, rng: np.random.Generator
) -> Written:
    """What a 5-gram model writes after a beginning, up to the words of its document."""
    said = words(begun)
    for _ in range(length - len(said)):
        said.append(language.draw(said, rng))
    # Marks close up as in documents, or facts beside commas would not be read.
    return Written(begun, f"{begun} {text_of(said[len(words(begun)) :])}")


def _minimal_pairs(subject: Subject, given: Material) -> Probe:
    most = given.most_words
    rng = np.random.default_rng(given.plan.seed)
    corpus = given.corpus

    def make(split: str, texts: Sequence[str]) -> list[Item]:
        if not isinstance(corpus, Policies):
            return minimal_pairs(texts, rng, most_words=most)
        indices = range(len(texts))
        return fact_pairs(
            corpus, split, indices=indices, rng=rng, each=2, most_words=most
        )

    tested, fitted = make("validation", given.tested), make("train", given.fitted)
    return _preference(given, "minimal pairs", tested, fitted)


def _jump_ahead(subject: Subject, given: Material) -> Probe:
    make = functools.partial(
        jump_ahead,
        most_words=given.most_words * 2 // 3,
        most_after=given.most_words // 3,
    )
    return _preference(given, "jump-ahead", *_made(make, given), better="lower")


def _block_shuffle(subject: Subject, given: Material) -> Probe:
    # A document may take more tokens a word than most; what has no room is left out.
    make = functools.partial(block_shuffle, most_words=given.most_words * 4 // 5)
    return _preference(given, "block shuffle", *_made(make, given), prior="kept")


def _preference(
    given: Material,
    name: str,
    tested: Sequence[Item],
    fitted: Sequence[Item],
    *,
    prior: Prior = "removed",
    better: Literal["higher", "lower"] = "higher",
) -> Probe:
    """A probe of drift that asks which of two texts a model prefers."""
    return functools.partial(
        preference_scores,
        items=_checked(tested, name, given),
        failure="drift",
        probe=name,
        baselines=_shallow(fitted, tested),
        prior=prior,
        better=better,
        seed=given.plan.seed,
    )


def _continuation(subject: Subject, given: Material) -> Probe:
    make = functools.partial(continuations, most_words=given.most_words * 2 // 5)
    tested, fitted = _made(make, given)
    tested = _checked(tested, "continuation", given)
    shallow = _shallow(fitted, tested)

    def probe(subject: Subject) -> list[Score]:
        return [
            score
            for readout in READOUTS
            for score in continuation_scores(
                subject,
                tested,
                readout=readout,
                baselines=shallow,
                seed=given.plan.seed,
            )
        ]

    return probe


def _restoration(subject: Subject, given: Material) -> Probe:
    texts = given.tested[: given.plan.restored]
    taken = excerpts(subject, texts, rates=given.plan.rates)
    if len(taken) < LEAST:
        raise NotApplicable(
            f"{len(taken)} of {given.plan.restored} documents are long enough to be "
            f"restored, and {LEAST} are needed."
        )
    filler = learn_filler(subject.words.encode(text) for text in given.fitted)
    return functools.partial(
        restoration_scores,
        taken=taken,
        rates=given.plan.rates,
        filler=filler,
        seed=given.plan.seed,
    )


def _made(
    make: Callable[..., list[Item]], given: Material
) -> tuple[list[Item], list[Item]]:
    """Items of the tested documents, and of those that baselines are fitted to."""
    rng = np.random.default_rng(given.plan.seed)
    return make(given.tested, rng), make(given.fitted, rng)


PROBES: Mapping[Failure, Mapping[str, Prepare]] = {
    "drift": {
        "free generation": _free_generation,
        "minimal pairs": _minimal_pairs,
        "jump-ahead": _jump_ahead,
        "block shuffle": _block_shuffle,
    },
    "continuation": {"continuation": _continuation},
    "reconstruction": {"restoration": _restoration},
}
"""The probes of each failure, by name. `future.leak_scores` is the fifth of drift."""

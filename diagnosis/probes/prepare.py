"""How each probe is prepared: its items, and its baselines without a model."""

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np

from ...models.decoding.samplers import sampled
from ...objectives.special_ids import reserved_ids
from ...tasks.corpora.policies import Policies
from ...tasks.shallow.bags import text_of, words
from ...tasks.shallow.ngram import Ngrams
from ..scores.score import Score
from .asking.subject import Subject
from .battery import Make, NotApplicable, Prepare, Probe
from .choices.items import Item
from .choices.paragraphs import paragraphs
from .choices.shallow import baselines, baselines_by_kind
from .continuation.readouts import READOUTS, Readout, continuation_scores
from .drift.fact_pairs import fact_pairs
from .drift.free_generation import Written, generation_scores, write_on
from .drift.minimal_pairs import minimal_pairs
from .material import LEAST, Material
from .reconstruction.corruptions import excerpts
from .reconstruction.filling import learn_filler
from .reconstruction.restoration import restoration_scores

TEMPERATURE = 0.7
"""Temperature of free generation, below 1 so that rare samples do not count."""


def choices(make: Make, ask: Callable[..., list[Score]], **settings) -> Prepare:
    """A probe of which of two texts a model prefers.

    Args:
      make: makes its items.
      ask: takes a model, `items`, their shallow `baselines` by kind, and a `seed`.
      settings: others of `ask`.
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
        return functools.partial(
            ask, items=tested, baselines=shallow, seed=seed, **settings
        )

    return prepare


def of_texts(make: Callable[..., list[Item]], **shares: tuple[int, int]) -> Make:
    """Makes items of texts; limits are fractions `(a, b)` of the words of a row."""

    def items(corpus: Material, split: str, rng: np.random.Generator) -> list[Item]:
        limits = {name: corpus.most_words * a // b for name, (a, b) in shares.items()}
        return make(corpus.texts(split), rng, **limits)

    return items


def minimal_pair_items(
    read: Material, split: str, rng: np.random.Generator
) -> list[Item]:
    """Pairs that differ in a fact: of the corpus's own facts where it has any."""
    corpus, texts, most = read.corpus, read.texts(split), read.most_words
    if not isinstance(corpus, Policies):
        return minimal_pairs(texts, rng, most_words=most)
    indices = range(len(texts))
    return fact_pairs(corpus, split, indices=indices, rng=rng, each=2, most_words=most)


def each_readout(subject: Subject, **settings) -> list[Score]:
    """Scores of continuations by every readout that the vocabulary allows."""
    labels = reserved_ids(subject.vocab.special_ids)["labels"]
    readouts: Sequence[Readout] = READOUTS if labels else ("likelihood",)
    by_readout = (continuation_scores(subject, readout=r, **settings) for r in readouts)
    return list(itertools.chain.from_iterable(by_readout))


def free_generation(subject: Subject, material: Material) -> Probe:
    """Texts that the model continues; their facts must be there to be parsed back."""
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


def restoration(subject: Subject, material: Material) -> Probe:
    """Excerpts that are corrupted in every way, and restored by the model."""
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

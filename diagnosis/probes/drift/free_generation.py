"""Long-form drift, (a): a model writes on, and what it wrote is read for its facts.

Only on `policies`, whose facts can be parsed back from any text.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ....models.generate import make_generate
from ....models.prompts import prompts
from ....models.samplers import Sampler, greedy, row_keys
from ....tasks.corpora.policies import ParsedMention, restatements
from ...scores.score import Mean, Score, bootstrap
from ..asking.forms import MODES, Mode, going_on
from ..asking.subject import Subject, Tokens

Values = Float[np.ndarray, " N"]
Documents = Int[np.ndarray, " N"]

BANDS = (16, 48)
"""Words between two mentions that part near, middle and far ones."""

ROWS = 32
"""Texts that are written side by side."""


class Written(NamedTuple):
    """A text that was given the beginning of a document to go on from.

    Attributes:
      prompt: what it was given.
      text: all of it, prompt included.
    """

    prompt: str
    text: str


def write_on(
    subject: Subject,
    beginnings: Sequence[str],
    *,
    sampler: Sampler = greedy,
    seed: int = 0,
) -> list[Written]:
    """Lets a model go on from each beginning until EOS or the end of its row.

    Args:
      subject: the model; asked in its mode, or as "causal" if that is "masked", which
        cannot go on.
      beginnings: of documents; "" is nothing.
      sampler: of `models.samplers`.
      seed: of the sampler.
    """
    ids = subject.words.special_ids
    mode = writing_mode(subject)
    allowed = np.zeros(subject.words.size, bool)
    allowed[[*ids.text, ids.eos]] = True
    generate = make_generate(
        subject.model, sampler=sampler, bos=ids.bos, eos=ids.eos, allowed=allowed
    )
    found: list[Written] = []
    for first in range(0, len(beginnings), ROWS):
        part = list(beginnings[first : first + ROWS])
        filled = part + [""] * (ROWS - len(part))
        given = [subject.words.encode(text) for text in filled]
        asked = [_ask(subject, mode, tokens) for tokens in given]
        leading = [int(np.flatnonzero(e.targets_weights)[0]) for e in asked]
        room = [_room(subject, len(e.inputs)) for e in asked]
        width = _room(subject, 0)
        inputs = subject.shape.encoder or subject.shape.decoder
        keys = row_keys(seed, first, rows=ROWS)
        written = generate(
            prompts(
                asked,
                given=leading,
                inputs=inputs.slots,
                targets=width,
                lengths=room,
            ),
            keys,
        )
        for n, text in enumerate(part):
            new = written.targets[n, leading[n] : written.lengths[n]]
            both = np.concatenate([given[n], new[new != ids.eos]])
            found.append(Written(text, subject.words.decode(both)))
    return found


def writing_mode(subject: Subject) -> Mode:
    """The mode in which a model goes on from a text."""
    return subject.mode if subject.mode != "masked" else MODES[0]


def generation_scores(
    subject: Subject,
    written: Sequence[Written],
    *,
    baselines: Sequence[Written] | None = None,
    seed: int = 0,
) -> list[Score]:
    """How often what was written contradicts what the text said before.

    A restatement is a pair of mentions of one fact, of which the later one was
    written; it contradicts where the values differ. A guess draws the later value from
    all values of that kind in what was written. A text that restates nothing has
    nothing to contradict, so the number of restatements a text is a score as well.

    Args:
      subject: that wrote.
      written: its texts.
      baselines: what a 5-gram model wrote after the same beginnings, if anything.
      seed: of the bootstrap.
    """
    mine, other = _read(written), None if baselines is None else _read(baselines)
    mode = writing_mode(subject)

    def score(
        kind: str,
        metric: str,
        of: Callable[[_Read], tuple[Values, Documents]],
        *,
        chance: float | None = None,
        better: Literal["higher", "lower"] = "lower",
    ) -> Score:
        values, documents = of(mine)
        value, low, high = bootstrap(Mean(values), documents, seed=seed)
        return Score(
            failure="drift",
            probe="free generation",
            kind=kind,
            metric=metric,
            value=value,
            low=low,
            high=high,
            chance=chance,
            better=better,
            mode=mode,
            trained=subject.knows(mode),
            baselines={} if other is None else {"5-gram": _mean(of(other)[0])},
            items=len(values),
            documents=len(set(documents.tolist())),
        )

    return [
        *(
            score(
                name,
                "contradiction rate",
                functools.partial(_Read.contradictions, band=band),
                chance=_mean(mine.guess[mine.within(band)]),
            )
            for name, band in _bands().items()
        ),
        score("texts", "share that contradict", _Read.contradicting_texts),
        score("texts", "restatements", _Read.counts, better="higher"),
    ]


class _Read(NamedTuple):
    """Restatements: texts, whether they contradict and how often a guess would, words
    between the mentions; and how many texts were read.
    """

    document: Documents
    wrong: Values
    distance: Int[np.ndarray, " N"]
    guess: Values
    texts: int

    def within(self, band: tuple[float, float]) -> Bool[np.ndarray, " N"]:
        """Which restatements are so many words apart."""
        return (self.distance >= band[0]) & (self.distance < band[1])

    def contradictions(self, band: tuple[float, float]) -> tuple[Values, Documents]:
        """Of each restatement so many words apart, 1 where it contradicts."""
        mine = self.within(band)
        return self.wrong[mine], self.document[mine]

    def contradicting_texts(self) -> tuple[Values, Documents]:
        """Of each text that restates something, 1 where it contradicts itself."""
        texts = np.unique(self.document)
        bad = np.isin(texts, self.document[self.wrong > 0])
        return bad.astype(float), texts

    def counts(self) -> tuple[Values, Documents]:
        """Of each text, how often it restates."""
        counts = np.bincount(self.document, minlength=self.texts)
        return counts.astype(float), np.arange(self.texts)


def _mean(values: Values) -> float:
    return float(values.mean()) if values.size else float("nan")


def _read(written: Sequence[Written]) -> _Read:
    found = [
        (number, pair, text)
        for number, (prompt, text) in enumerate(written)
        for pair in restatements(text)
        if pair.later.start >= len(prompt)
    ]
    between = [text[p.earlier.stop : p.later.start].split() for _, p, text in found]
    return _Read(
        np.array([number for number, _, _ in found], np.int64),
        np.array([p.earlier.value != p.later.value for _, p, _ in found], float),
        np.array(list(map(len, between)), np.int64),
        _guess([p.earlier for _, p, _ in found], [p.later for _, p, _ in found]),
        len(written),
    )


def _guess(earlier: Sequence[ParsedMention], later: Sequence[ParsedMention]) -> Values:
    """How often a later value contradicts that is drawn from all of its kind."""
    drawn: dict[str, list[str]] = {}
    for mention in later:
        drawn.setdefault(mention.kind, []).append(mention.value)
    rates = [
        1 - drawn[mention.kind].count(mention.value) / len(drawn[mention.kind])
        for mention in earlier
    ]
    return np.array(rates, float)


def _bands() -> dict[str, tuple[float, float]]:
    near, far = BANDS
    return {
        "all": (0.0, np.inf),
        f"< {near} words apart": (0.0, float(near)),
        f"{near} to {far} words apart": (float(near), float(far)),
        f"≥ {far} words apart": (float(far), np.inf),
    }


def _ask(subject: Subject, mode: Mode, tokens: Tokens):
    """An Example that goes on from tokens; its first free target is a placeholder."""
    ids = subject.words.special_ids
    asked = going_on(mode, tokens, np.array([ids.eos], np.int32), ids)[0]
    return subject.showing(asked, mode)


def _room(subject: Subject, inputs: int) -> int:
    """Targets that a row has room for behind so many inputs."""
    slots = subject.shape.decoder.slots
    return slots if subject.shape.encoder else slots - inputs

"""Free generation: a model continues documents, and facts are parsed from its text.

Only on `policies`, whose facts can be parsed from any text.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ....models.decoding.samplers import Sampler, greedy
from ....tasks.corpora.policies import ParsedMention, restatements
from ...scores.score import Mean, Score
from ..asking.forms import MODES, Mode
from ..asking.scored import score_of
from ..asking.subject import Subject
from ..asking.writing import write

Values = Float[np.ndarray, " N"]

BANDS: Mapping[str, tuple[float, float]] = {
    "all": (0.0, np.inf),
    "< 16 words apart": (0.0, 16.0),
    "16 to 48 words apart": (16.0, 48.0),
    "≥ 48 words apart": (48.0, np.inf),
}
"""Words between two mentions of a fact: from, and below."""


class Written(NamedTuple):
    """A generated continuation of a document.

    Attributes:
      prompt: the beginning of the document.
      text: prompt and continuation.
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
    """Lets a model continue each beginning until EOS or the end of its row.

    Args:
      subject: the model, queried in its mode, or as "causal" if that is "masked" or
        "shifted", which cannot generate.
      beginnings: of documents; may be empty.
      sampler: of `models.decoding.samplers`.
      seed: of the sampler.
    """
    ids = subject.vocab.special_ids
    writer = subject._replace(mode=writing_mode(subject))
    prompts = [subject.vocab.encode(text) for text in beginnings]
    # A placeholder target stands where the first new token will.
    end = np.array([ids.eos], np.int32)
    examples = [writer.continuation_examples(tokens, end)[0] for tokens in prompts]
    written = write(subject, examples, sampler=sampler, seed=seed)
    whole = [
        np.concatenate([tokens, new[new != ids.eos]])
        for tokens, new in zip(prompts, written, strict=True)
    ]
    texts = map(subject.vocab.decode, whole)
    return [Written(*pair) for pair in zip(beginnings, texts, strict=True)]


def writing_mode(subject: Subject) -> Mode:
    """The mode in which a model continues a text."""
    return MODES[0] if subject.mode in ("masked", "shifted") else subject.mode


def generation_scores(
    subject: Subject,
    written: Sequence[Written],
    *,
    baselines: Sequence[Written] | None = None,
    seed: int = 0,
) -> list[Score]:
    """How often generated text contradicts what was said before.

    A restatement is a pair of mentions of one fact, of which the later one was
    generated; it contradicts if the values differ. Chance draws the later value from
    all generated values of that kind. A text without restatements cannot contradict
    itself, so the number of restatements is a score as well.

    Args:
      subject: the model.
      written: its texts.
      baselines: texts of a 5-gram model after the same beginnings.
      seed: of the bootstrap.
    """
    shallow = {} if baselines is None else _figures(baselines)
    shallow = {
        name: {"5-gram": _mean(figure.values)} for name, figure in shallow.items()
    }
    return [
        score_of(
            subject,
            Mean(figure.values),
            figure.documents,
            probe="free generation",
            kind=kind,
            metric=metric,
            modes=[writing_mode(subject)],
            better="higher" if metric == "restatements" else "lower",
            chance=figure.chance,
            baselines=shallow.get((kind, metric)),
            seed=seed,
        )
        for (kind, metric), figure in _figures(written).items()
    ]


class _Figure(NamedTuple):
    """The values to average, the text of each, and the chance level."""

    values: Values
    documents: Int[np.ndarray, " N"]
    chance: float | None = None


def _figures(written: Sequence[Written]) -> dict[tuple[str, str], _Figure]:
    """The figures of some texts, by kind and metric."""
    pairs = [
        (number, pair, text)
        for number, (prompt, text) in enumerate(written)
        for pair in restatements(text)
        if pair.later.start >= len(prompt)
    ]
    document = np.array([number for number, _, _ in pairs], np.int64)
    wrong = np.array([p.earlier.value != p.later.value for _, p, _ in pairs], float)
    between = [text[p.earlier.stop : p.later.start].split() for _, p, text in pairs]
    distance = np.array(list(map(len, between)), np.int64)
    guess = _guess([p.earlier for _, p, _ in pairs], [p.later for _, p, _ in pairs])
    figures: dict[tuple[str, str], _Figure] = {}
    for kind, (least, below) in BANDS.items():
        in_band = (distance >= least) & (distance < below)
        figures[kind, "contradiction rate"] = _Figure(
            wrong[in_band], document[in_band], _mean(guess[in_band])
        )
    texts = np.unique(document)
    contradicting = np.isin(texts, document[wrong > 0]).astype(float)
    figures["texts", "share that contradict"] = _Figure(contradicting, texts)
    counts = np.bincount(document, minlength=len(written)).astype(float)
    figures["texts", "restatements"] = _Figure(counts, np.arange(len(written)))
    return figures


def _mean(values: Values) -> float:
    return float(values.mean()) if values.size else float("nan")


def _guess(earlier: Sequence[ParsedMention], later: Sequence[ParsedMention]) -> Values:
    """The contradiction rate if later values are drawn from all of their kind."""
    values_of: dict[str, list[str]] = {}
    for mention in later:
        values_of.setdefault(mention.kind, []).append(mention.value)
    rates = [
        1 - values_of[mention.kind].count(mention.value) / len(values_of[mention.kind])
        for mention in earlier
    ]
    return np.array(rates, float)

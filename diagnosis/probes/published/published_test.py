"""What a published test is: its format, its questions, and how they are measured."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64

from ..asking.forms import Mode, Pair
from ..asking.pseudo_likelihood import Masks
from ..asking.subject import Subject
from .files import DataFile

AskedMode = Mode | Literal["pair"]
"""A mode of `asking.forms`, or the label of a pair: does the second text follow?"""


class Question(NamedTuple):
    """A choice between texts, or a word to predict.

    Attributes:
      kinds: what it counts for, at each of `PublishedTest.levels`; the first is its
        group, inside which questions are drawn.
      candidates: pairs `(before, after)`, which join without a separator; one if
        `after` is to be predicted.
      answer: index of the right one.
    """

    kinds: tuple[str, ...]
    candidates: tuple[Pair, ...]
    answer: int = 0


class Measured(NamedTuple):
    """What was measured of each question: a metric is the ratio of two sums.

    Attributes:
      metric: "accuracy", "bits per byte", …
      amount: of each question; NaN if it does not fit the model's rows.
      size: what the amount is divided by: 1, or a number of bytes.
      better: whether higher or lower is better.
    """

    metric: str
    amount: Float64[np.ndarray, " N"]
    size: Float64[np.ndarray, " N"]
    better: Literal["higher", "lower"] = "higher"


Measure = Callable[[Subject, Sequence[Question], AskedMode, Masks], list[Measured]]
"""Asks a model every question in a mode."""

Baselines = Mapping[str, Float64[np.ndarray, " N"]]
"""The share of each question that a shallow baseline gets right, by name."""


class PublishedTest(NamedTuple):
    """A published test.

    Attributes:
      name: as papers call it.
      about: what it asks, in a sentence.
      paper: that published it.
      licence: of its data.
      source: where the data can be had.
      levels: what questions are divided by, the finest first.
      sample: what is drawn of each group: "pairs" or "items", limited each by an
        option of its own.
      average: of groups, "groups" as papers on minimal pairs do, or of "items".
      recognises: whether a file is one of its files, by name and first line.
      read: the questions of its files.
      measure: asks them.
      baselines: of its questions, given texts to fit a language model to.
      modes: whether a mode can ask it at all.
      published: accuracies that others report, by kind and model.
      note: what to know when comparing with them.
    """

    name: str
    about: str
    paper: str
    licence: str
    source: str
    levels: tuple[str, ...]
    sample: Literal["pairs", "items"]
    average: Literal["groups", "items"]
    recognises: Callable[[DataFile], bool]
    read: Callable[[Sequence[DataFile]], list[Question]]
    measure: Measure
    baselines: Callable[[Sequence[Question], Sequence[str]], Baselines]
    modes: Callable[[AskedMode], bool]
    published: Mapping[str, Mapping[str, float]]
    note: str = ""


class PublishedScore(NamedTuple):
    """A score of a model on a published test.

    Attributes:
      test: its name.
      level: "all", or one of the test's levels.
      kind: of questions at that level; "all" for all.
      metric: of `Measured`.
      mode: in which the model was asked.
      trained: whether its mixture trains that mode.
      value: of the metric.
      low: lower end of the 95 % bootstrap interval over questions within groups.
      high: upper end.
      better: whether higher or lower is better.
      chance: chance level; None if there is none.
      untrained: the same of a model with fresh parameters; None if not measured.
      baselines: of shallow baselines by name.
      published: what others report, by model.
      items: questions that were asked.
      left_out: questions that do not fit the model's rows.
    """

    test: str
    level: str
    kind: str
    metric: str
    mode: str
    trained: bool
    value: float
    low: float
    high: float
    better: Literal["higher", "lower"]
    chance: float | None
    untrained: float | None
    baselines: Mapping[str, float]
    published: Mapping[str, float]
    items: int
    left_out: int

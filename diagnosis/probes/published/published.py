"""Reads published tests from a path, and scores a model on them."""

import functools
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from flax import nnx

from ....models.build import build
from ....objectives.discovery import modules_of
from ....objectives.errors import UsageError, require_count, require_seed
from ..asking.forms import MODES
from ..asking.pseudo_likelihood import Masks
from ..asking.subject import Subject, subject as make_subject
from . import catalogue
from .files import DataFile, data_files
from .levels import groups_of, levels, mean_of
from .published_test import (
    AskedMode,
    Baselines,
    Measured,
    PublishedScore,
    PublishedTest,
    Question,
)

PAIRS, ITEMS = 50, 500
"""Pairs of a paradigm, and items of a file, that are drawn unless told otherwise."""

ASKED_MODES: tuple[AskedMode, ...] = (*MODES, "pair")


class ReadTest(NamedTuple):
    """A test whose questions were read and drawn.

    Attributes:
      test: which.
      questions: those drawn, in the order of the files.
      available: number of questions that the files hold.
      baselines: of the questions drawn.
    """

    test: PublishedTest
    questions: tuple[Question, ...]
    available: int
    baselines: Baselines


class PublishedData(NamedTuple):
    """The published tests of a path.

    Attributes:
      tests: in the order of their names.
      unread: names of files that belong to none.
    """

    tests: tuple[ReadTest, ...]
    unread: tuple[str, ...]


class PublishedResult(NamedTuple):
    """What a model scored on the published tests of a path.

    Attributes:
      path: that was read.
      data: the tests.
      scores: of the model.
    """

    path: str
    data: PublishedData
    scores: tuple[PublishedScore, ...]


@functools.cache
def catalogued() -> dict[str, PublishedTest]:
    """Every known test by name; a file in `catalogue` is found by itself."""
    tests: list[PublishedTest] = [
        module.TEST for module in modules_of(catalogue.__name__)
    ]
    return {test.name: test for test in sorted(tests, key=lambda test: test.name)}


def read_published(
    path: Path | str,
    *,
    pairs: int = PAIRS,
    items: int = ITEMS,
    seed: int = 0,
    texts: Sequence[str] = (),
) -> PublishedData:
    """Reads the tests that a path holds, recognised by their names and formats.

    Which questions are drawn depends on the seed, and on nothing of a model.

    Args:
      path: a folder, a tar, zip or wheel, or one file.
      pairs: most minimal pairs that are drawn of a paradigm.
      items: most items that are drawn of each file of the other tests.
      seed: of the draw.
      texts: to fit the language models of shallow baselines to, such as those of the
        training corpus; without any, those baselines are left out.

    Raises:
      UsageError: there is no such path, no known test in it, a malformed file, one
        without a question, or two with the same ones; the message gives the file, the
        line and the fix.
    """
    require_count("--pairs_per_paradigm", pairs)
    require_count("--items", items)
    require_seed("--seed", seed)
    listing = data_files(Path(path))
    owned: dict[str, list[DataFile]] = {}
    unread = list(listing.others)
    for file in listing.files:
        tests = [test for test in catalogued().values() if test.recognises(file)]
        if tests:
            owned.setdefault(tests[0].name, []).append(file)
        else:
            unread.append(file.name)
    if not owned:
        raise UsageError(
            f"{path} holds no published test that is known: none of {len(unread)} "
            f"files ({', '.join(sorted(unread)[:3])}…) has the name or format of "
            f"{', '.join(catalogued())}, in UTF-8; docs/probes.md describes them."
        )
    read = []
    for name, files in sorted(owned.items()):
        test = catalogued()[name]
        every = _questions(test, files)
        most = pairs if test.sample == "pairs" else items
        questions = _drawn(test, every, most, seed=seed)
        baselines = test.baselines(questions, texts)
        read.append(ReadTest(test, questions, len(every), baselines))
    return PublishedData(tuple(read), tuple(sorted(unread)))


def published_scores(
    subject: Subject,
    data: PublishedData,
    *,
    modes: Sequence[AskedMode] | None = None,
    masks: Masks = "word",
    untrained: Subject | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> list[PublishedScore]:
    """Scores a model on each test, in each mode.

    Args:
      subject: the model.
      data: the tests.
      modes: in which to ask it; None for all that its mixture trains, or the
        subject's own if nothing is known of a mixture. A test passes over those that
        cannot ask it.
      masks: what masked modes hide of short texts.
      untrained: a model of the same shape with fresh parameters (`fresh`), to be
        scored alike; None leaves its scores out.
      seed: of the bootstrap.
      progress: called with each test and mode when it begins.
    """
    wanted = modes or [m for m in ASKED_MODES if subject.trains(m)] or [subject.mode]
    scores: list[PublishedScore] = []
    for read in data.tests:
        for mode in wanted:
            if read.test.modes(mode):
                progress(f"{read.test.name}, {mode}")
                scores += _scores(
                    read, subject, untrained, mode=mode, masks=masks, seed=seed
                )
    return scores


def fresh(subject: Subject, *, seed: int = 0) -> Subject:
    """The same model with fresh parameters, asked alike."""
    model = build(
        subject.model.config,
        vocabulary_size=subject.model.projection().shape[0],
        shape=subject.shape,
        rngs=nnx.Rngs(params=seed),
    )
    return make_subject(
        model,
        subject.shape,
        subject.vocab,
        trained=subject.trained,
        mode_tokens=subject.mode_tokens,
        mode=subject.mode,
    )


def _questions(test: PublishedTest, files: Sequence[DataFile]) -> list[Question]:
    """The questions of a test's files; the same file twice would count twice.

    Raises:
      UsageError: a file has no question, or those of another one.
    """
    every: list[Question] = []
    asked: dict[Hashable, DataFile] = {}
    for file in files:
        own = test.read([file])
        if not own:
            raise UsageError(
                f"{file.shown} holds no question of {test.name}, only a head; give "
                "its rows, or take the file away."
            )
        # Without their kinds, which may be the names of folders.
        first = asked.setdefault(
            tuple((question.candidates, question.answer) for question in own), file
        )
        if first is not file:
            raise UsageError(
                f"{first.shown} and {file.shown} hold the same questions of "
                f"{test.name}, which would count twice; take one of them away."
            )
        every += own
    return every


def _drawn(
    test: PublishedTest, questions: Sequence[Question], most: int, *, seed: int
) -> tuple[Question, ...]:
    """At most so many questions of each group, in their order.

    Where a test averages over items, groups are of no account, or they would not keep
    their shares.
    """
    groups: dict[str, list[int]] = {}
    for number, question in enumerate(questions):
        group = "" if test.average == "items" else question.kinds[0]
        groups.setdefault(group, []).append(number)
    kept: list[int] = []
    for group, own in groups.items():
        if len(own) > most:
            rng = np.random.default_rng([seed, *group.encode()])
            own = [own[n] for n in rng.choice(len(own), most, replace=False).tolist()]
        kept += own
    return tuple(questions[number] for number in sorted(kept))


def _scores(
    read: ReadTest,
    subject: Subject,
    untrained: Subject | None,
    *,
    mode: AskedMode,
    masks: Masks,
    seed: int,
) -> Iterator[PublishedScore]:
    """The scores of a test in one mode."""
    test, questions = read.test, read.questions
    of_model = test.measure(subject, questions, mode, masks)
    of_fresh: Sequence[Measured | None] = [None] * len(of_model)
    if untrained is not None:
        of_fresh = test.measure(untrained, questions, mode, masks)
    chances = np.array([1 / len(question.candidates) for question in questions])
    chooses = bool((chances < 1).all())
    groups = groups_of(questions)
    for measured, before in zip(of_model, of_fresh, strict=True):
        is_accuracy = measured.metric.startswith("accuracy")
        plain = measured.metric == "accuracy"
        for level in levels(test, questions, measured, seed=seed):
            mean = functools.partial(mean_of, test, groups, member=level.asked)
            yield PublishedScore(
                test=test.name,
                level=level.level,
                kind=level.kind,
                metric=measured.metric,
                mode=mode,
                trained=subject.trains(mode),
                value=level.value,
                low=level.low,
                high=level.high,
                better=measured.better,
                chance=mean(chances) if chooses and is_accuracy else None,
                untrained=None
                if before is None
                else mean(before.amount) / mean(before.size),
                baselines={k: mean(v) for k, v in read.baselines.items()}
                if is_accuracy
                else {},
                published=test.published.get(level.kind, {}) if plain else {},
                items=level.items,
                left_out=level.left_out,
            )

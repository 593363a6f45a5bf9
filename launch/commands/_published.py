"""Published tests of a run: options, and what `probe` and `diagnose` measure."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...diagnosis.probes.published.published import (
    ASKED_MODES,
    ITEMS,
    PAIRS,
    PublishedResult,
    fresh,
    published_scores,
    read_published,
)
from ...diagnosis.probes.published.published_test import AskedMode, PublishedTest
from ...objectives.errors import UsageError, nearest, require_count
from ...tasks import corpora
from ...tasks.corpora import Corpus
from ...tasks.examples.mixture import Mixture, split_task

if TYPE_CHECKING:
    from ...diagnosis.probes.asking.subject import Subject
    from ..inference.open import TrainedModel

FITTED_WORDS = 300_000
"""Words of a corpus that baselines are fitted to: a few seconds' worth."""


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say how much of each test is asked."""
    parser.add_argument(
        "--pairs_per_paradigm",
        type=int,
        default=PAIRS,
        metavar="N",
        help="minimal pairs drawn of each paradigm (%(default)s); 1000 is all of BLiMP",
    )
    parser.add_argument(
        "--items",
        type=int,
        default=ITEMS,
        metavar="N",
        help="items drawn of each file of the other tests; of LAMBADA in all "
        "(%(default)s)",
    )


def add_probe_data(parser: argparse.ArgumentParser) -> None:
    """Adds `--probe_data`, and how much of each test is asked."""
    parser.add_argument(
        "--probe_data",
        metavar="PATH",
        help="also score published tests that lie there (docs/probes.md)",
    )
    add_sampling(parser)


def check_probe_data(options: argparse.Namespace) -> None:
    """Refuses tests that cannot be read, or that no model is there to answer.

    Raises:
      UsageError: no run, no tests of which some would be drawn, or as `read_published`.
    """
    for name, usual in (("pairs_per_paradigm", PAIRS), ("items", ITEMS)):
        value = getattr(options, name)
        require_count(f"--{name}", value)
        if options.probe_data is None and value != usual:
            raise UsageError(
                f"--{name}={value} is how much of published tests to ask, and there "
                f"are none: give --probe_data, or leave --{name} out."
            )
    if options.probe_data is None:
        return
    if not options.run_dir:
        raise UsageError(
            f"--probe_data={options.probe_data!r} holds tests of a model, and there is "
            "none: give a run's directory, or leave the tests out."
        )
    read_published(options.probe_data, pairs=1, items=1)


def published_of_run(
    run: Path | None,
    corpus: Corpus,
    options: argparse.Namespace,
    progress: Callable[[str], None],
) -> PublishedResult | None:
    """The newest checkpoint's scores on `--probe_data`; None if there is none."""
    if run is None or options.probe_data is None:
        return None
    from ..inference.open import load_trained

    trained = load_trained(run, compute_dtype="float32")
    return published_result(
        trained, options.probe_data, corpus, options, progress=progress
    )


def published_result(
    trained: "TrainedModel",
    path: str,
    corpus: Corpus | None,
    options: argparse.Namespace,
    *,
    modes: Sequence[AskedMode] | None = None,
    level: str | None = None,
    masks: Literal["word", "token"] = "word",
    progress: Callable[[str], None],
) -> PublishedResult:
    """Scores a trained model, and one with fresh parameters, on the tests of a path.

    Args:
      trained: the model.
      path: of the tests.
      corpus: that shallow baselines are fitted to; None leaves out those that need it.
      options: `pairs_per_paradigm`, `items`, `seed`.
      modes: in which to ask; None for those that the mixture trains.
      level: that will be shown, for a check before anything is scored.
      masks: what masked modes hide.
      progress: called with each test and mode when it begins.

    Raises:
      UsageError: as `read_published`; or none of the tests has such a level, or can be
        asked in one of the modes.
    """
    progress("published tests")
    data = read_published(
        path,
        pairs=options.pairs_per_paradigm,
        items=options.items,
        seed=options.seed,
        texts=_texts(corpus, seed=options.seed) if corpus else (),
    )
    tests = [read.test for read in data.tests]
    _require_level(tests, level)
    _require_modes(tests, modes or ())
    asked = subject_of(trained)
    scores = published_scores(
        asked,
        data,
        modes=modes,
        masks=masks,
        untrained=fresh(asked),
        seed=options.seed,
        progress=progress,
    )
    return PublishedResult(path, data, tuple(scores))


def _require_level(tests: Sequence[PublishedTest], level: str | None) -> None:
    known = {name for test in tests for name in test.levels}
    if level is not None and level not in known:
        raise UsageError(f"--level: no {level!r}; {nearest(level, known)}")


def _require_modes(tests: Sequence[PublishedTest], modes: Sequence[AskedMode]) -> None:
    known = {mode for mode in ASKED_MODES if any(test.modes(mode) for test in tests)}
    for mode in modes:
        if mode not in known:
            raise UsageError(
                f"--modes: {' and '.join(test.name for test in tests)} cannot be asked "
                f"in {mode!r}; {nearest(mode, known)}"
            )


def subject_of(trained: "TrainedModel") -> "Subject":
    """A trained model as probes see it, with the modes that its mixture trains."""
    from ...diagnosis.probes.asking.subject import subject
    from ...diagnosis.traits.objective_traits import mode_tokens
    from ...diagnosis.traits.traits import mixture_traits
    from ...tasks.tokens.vocabulary import vocabulary

    taught = mixture_traits(trained.mixture, trained.rows).overall["examples"]
    return subject(
        trained.model,
        trained.rows,
        vocabulary(trained.mixture.vocabulary),
        trained={str(mode): share for mode, share in taught.modes.items()},
        mode_tokens=mode_tokens(taught),
    )


def asked_modes(text: str | None) -> list[AskedMode] | None:
    """The modes named by an option, divided by commas.

    Raises:
      UsageError: there is no such mode.
    """
    if text is None:
        return None
    named = [name.strip() for name in text.split(",")]
    for name in named:
        if name not in ASKED_MODES:
            raise UsageError(f"--modes: no {name!r}; {nearest(name, ASKED_MODES)}")
    return [mode for mode in ASKED_MODES if mode in named]


def baseline_corpus(mixture: Mixture, name: str | None) -> Corpus | None:
    """The corpus named, or the mixture's first; None for "none".

    Raises:
      UsageError: there is no such corpus, or its documents are missing.
    """
    if name == "none":
        return None
    name = name or split_task(next(iter(mixture.positive_rates())))[0]
    if corpora.base_name(name) not in corpora.names():
        choices = (*corpora.names(), "none")
        raise UsageError(f"--corpus: no {name!r}; {nearest(name, choices)}")
    corpus = mixture.corpus(name)
    corpus.check()
    return corpus


def _texts(corpus: Corpus, *, seed: int) -> list[str]:
    """Documents drawn from the train split, with about so many words in all."""
    documents = corpus.documents("train")
    texts, count = [], 0
    for number in np.random.default_rng(seed).permutation(len(documents)).tolist():
        texts.append(documents[number])
        count += len(texts[-1].split())
        if count >= FITTED_WORDS:
            break
    return texts

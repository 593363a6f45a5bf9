"""`sightline corpus`: measure a corpus, or write it out."""

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from ...objectives.errors import UsageError, nearest
from ...tasks import corpora
from ...tasks.corpora import Corpus, EmptySplitError, Fetched
from ...tasks.corpora.english import English
from ...tasks.corpora.policies import Policies
from ...tasks.corpora.text import Text
from ...tasks.examples.setting_types import parameters
from ...tasks.files import write_json_lines
from ...tasks.tokens.vocabulary import vocabulary
from ..terminal import corpus as tables, english as english_tables
from ._arguments import add_import, parse_gin, require_folders

_ABOUT = """\
Describe a corpus: how many documents, how long they are, how much chance is in them and
what surface cues give away; or write it out as JSON lines.

  sightline corpus policies
  sightline corpus policies --gin.policies.seed=1 --documents=100 --out=policies
  sightline corpus text --gin.text.folder=papers
  sightline corpus policies --baselines
  sightline corpus english --fetch
"""

SAMPLE = 500
"""Documents of a split to measure by default."""

BASELINE_SAMPLE = 2000
"""The default with --baselines: as many to fit to, as many again to test on."""

LEAST_FITTED = 16
"""Fewest documents to fit baselines to. A fit needs four choices of a kind, and a
document gives one of them or, about every fourth of one kind, none."""


def main(arguments: Sequence[str]) -> int:
    """Prints tables and writes files; returns the exit status."""
    options, bindings = parse_gin(_parser(), arguments)
    corpus = read_corpus(options.name, bindings)
    splits = corpus.splits if options.split is None else (options.split,)
    for split in splits:
        corpora.check_split(corpus, split)
    if options.documents is not None and options.documents < 1:
        raise UsageError(f"--documents is {options.documents}; give 1 or more.")
    if options.baselines:
        _check_baselines(corpus, splits[0], options.documents)
    folder = None if options.out is None else _folder(Path(options.out), corpus)
    if options.fetch:
        _fetch(corpus)
    corpus.check()
    texts = _texts(corpus, options.split)

    console = Console()
    if line := corpora.not_read(corpus):
        print(line)
    most = options.documents or (BASELINE_SAMPLE if options.baselines else SAMPLE)
    vocab = vocabulary(corpus.vocabulary)
    console.print(tables.sizes(corpus.name, texts, vocab, most=most))
    if isinstance(corpus, English):
        console.print(english_tables.sources(corpus.holdings(), corpus.shared()))
        console.print(english_tables.samples(texts))
    if isinstance(corpus, Policies):
        console.print(tables.entropies(corpus, splits[0], vocab, most=most))
        if options.baselines:
            _show_baselines(console, corpus, splits[0], most=most)
    if folder is not None:
        for split in splits:
            path = _export(folder, corpus, split, texts[split], options.documents)
            print(f"wrote {path}")
    return 0


def read_corpus(name: str, bindings: Sequence[str]) -> Corpus:
    """The corpus of that name with the settings that bindings give it.

    Args:
      name: of the corpus.
      bindings: `policies.seed=1`; of this corpus only.

    Raises:
      ValueError: no such corpus or setting, another corpus's setting, or a bad value.
    """
    if name not in corpora.names():  # nor is a variant one: its settings are given here
        raise UsageError(f"no corpus {name!r}; {nearest(name, corpora.names())}")
    valid = parameters(corpora.factory(name))
    from ..configuration.config import load

    config = load([], bindings, table={}, settings={name: valid})
    return corpora.get(name, **config.arguments(name))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "sightline corpus",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("name", help=", ".join(corpora.names()))
    parser.add_argument(
        "--gin.NAME",
        dest="_",
        metavar="VALUE",
        help="a setting of the corpus, --gin.policies.seed=1",
    )
    add_import(parser)
    parser.add_argument(
        "--fetch",
        action="store_true",
        help="of english: download it first, or what is missing of it",
    )
    parser.add_argument("--split", metavar="NAME", help="only this one (all)")
    parser.add_argument(
        "--documents",
        type=int,
        metavar="N",
        help=f"most of a split (default: {SAMPLE} measured, all written)",
    )
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        help="write a file of JSON lines a split; policies with facts and mentions",
    )
    parser.add_argument(
        "--baselines",
        action="store_true",
        help="of policies: what a fact checker reads and shallow models can tell",
    )
    return parser


def _fetch(corpus: Corpus) -> None:
    if not isinstance(corpus, Fetched):
        raise UsageError(
            f"--fetch is for a corpus that is downloaded, such as 'english'; "
            f"{corpus.name!r} is not."
        )
    corpus.fetch()


def _check_baselines(corpus: Corpus, split: str, documents: int | None) -> None:
    if not isinstance(corpus, Policies):
        raise UsageError(
            f"--baselines is for the corpus 'policies', not {corpus.name!r}: baselines "
            "need to know the facts of a document."
        )
    if importlib.util.find_spec("sklearn") is None:
        raise UsageError(
            "--baselines needs scikit-learn, which is not installed; run pip install "
            "-c constraints.txt scikit-learn."
        )
    if (count := len(corpus.documents(split))) < 2 * LEAST_FITTED:
        raise UsageError(
            f"--baselines fits to documents and tests on others; {split!r} has "
            f"{count}: set policies.{split}_documents to {2 * LEAST_FITTED} or more."
        )
    if documents is not None and documents < LEAST_FITTED:
        raise UsageError(
            f"--documents is {documents}: --baselines fits to so many and tests on as "
            f"many again; give {LEAST_FITTED} or more, or leave it out."
        )


def _texts(corpus: Corpus, asked: str | None) -> dict[str, Sequence[str]]:
    """The documents of the split that is asked for, or of all, where one may be empty.

    Raises:
      UsageError: they are not there, or none is in the split that is asked for.
    """
    if asked is not None:
        return {asked: corpus.documents(asked)}
    found: dict[str, Sequence[str]] = {}
    for split in corpus.splits:
        try:
            found[split] = corpus.documents(split)
        except EmptySplitError:
            found[split] = ()
    return found


def _folder(folder: Path, corpus: Corpus) -> Path:
    """Makes the output folder before any work is done."""
    if isinstance(corpus, Text) and corpus.folder:
        source = Path(corpus.folder).expanduser().resolve()
        if folder.resolve().is_relative_to(source):
            raise UsageError(
                f"--out: {str(folder)!r} is in the folder that the corpus is read "
                "from, which would hold every document twice; give another folder."
            )
    require_folders("--out", folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _show_baselines(
    console: Console, corpus: Policies, split: str, *, most: int
) -> None:
    """What the fact checker reads, and how well baselines tell true text from false."""
    from ...tasks.corpora._policies.read_back import read_back

    count = len(corpus.documents(split))
    fitted = range(min(most, count // 2))
    tested = range(len(fitted), 2 * len(fitted))
    indices = tables.tracked((*fitted, *tested), "Writing")
    policies = [corpus.policy(split, index) for index in indices]
    tracked = tables.tracked(policies, "Checking facts")
    check = read_back(tracked, np.random.default_rng(0), numbers=corpus.numbers)
    console.print(tables.read_back(check))
    half = len(fitted)
    console.print(tables.baselines(policies[:half], policies[half:]))


def _export(
    folder: Path,
    corpus: Corpus,
    split: str,
    texts: Sequence[str],
    documents: int | None,
) -> Path:
    """Writes the first documents of a split; all of them if None."""
    path = folder / f"{split}.jsonl"
    count = len(texts) if documents is None else min(documents, len(texts))
    try:
        if isinstance(corpus, Policies):
            from ...tasks.corpora._policies.export import export

            return export(folder, corpus=corpus, split=split, documents=count)
        indices = tables.tracked(range(count), f"{corpus.name}/{split}")
        rows: Any = ({"text": texts[index]} for index in indices)
        write_json_lines(path, rows)
    except OSError as error:
        raise UsageError(
            f"--out: cannot write {str(path)!r}: {error.strerror}; nothing of it was "
            "kept."
        ) from error
    return path

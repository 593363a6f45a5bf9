"""What a study must know of its data before it begins; looked up once."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...diagnosis.results import json_file
from ...tasks.recorded.identity import digest_of
from ...tasks.tokens.tokenised_documents import TokenisedDocuments
from ...tasks.tokens.vocabulary import vocabulary
from .rows_of_arms import RowsOfArms
from .study import Study

SAMPLE = 200
"""Documents that the tokens of a corpus are estimated from."""


class CorpusFacts(NamedTuple):
    """A corpus that a study trains on.

    Attributes:
      train: documents of that split.
      validation: documents of that split.
      shared: documents of the validation split that are in both.
      tokens: of the train split, about.
    """

    train: int
    validation: int
    shared: int
    tokens: int


class Facts(NamedTuple):
    """What was looked up.

    Attributes:
      config: digest of the configuration that they are of.
      corpora: by name.
      own_share: of the tokens that the revised mix processes, that of the incumbent's
        objectives; 1 where no arm depends on it.
    """

    config: str
    corpora: Mapping[str, CorpusFacts]
    own_share: float


def facts(study: Study, folder: Path, *, config: str) -> Facts:
    """The facts in a study's folder; looked up if they are not there.

    Args:
      study: of which data.
      folder: of the study.
      config: text of all that they depend on.
    """
    path, digest = folder / "data.json", digest_of(config)
    if path.exists():
        saved: Facts = json_file.read(path, Facts)
        if saved.config == digest:
            return saved
    looked_up = Facts(digest, _corpora(study), _own_share(study))
    json_file.write(path, looked_up, indent=1)
    return looked_up


def _corpora(study: Study) -> dict[str, CorpusFacts]:
    mixture = study.mixture(study.incumbent)
    vocab = vocabulary(study.vocabulary)
    found = {}
    for name in mixture.corpus_names():
        corpus = mixture.corpus(name)
        train, validation = (corpus.documents(s) for s in ("train", "validation"))
        documents = TokenisedDocuments(corpus, "train", vocab)
        rng = np.random.default_rng(0)
        some = rng.choice(len(train), min(SAMPLE, len(train)), replace=False)
        tokens = np.mean([len(documents[int(n)]) for n in some]) * len(train)
        shared = len(_digests(train) & _digests(validation))
        found[name] = CorpusFacts(len(train), len(validation), shared, round(tokens))
    return found


def _digests(documents: Sequence[str]) -> set[bytes]:
    """Of each document, whatever the space between its words."""
    return {
        hashlib.sha256(" ".join(documents[n].split()).encode()).digest()
        for n in range(len(documents))
    }


def _own_share(study: Study) -> float:
    settings = study.adaptation
    if settings is None or "grown" not in settings.scratch:
        return 1.0
    revised = study.mixture(settings.revised)
    return RowsOfArms(study).own_share(revised, study.mixture(study.incumbent))

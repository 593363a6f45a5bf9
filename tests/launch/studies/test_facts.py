"""What a study looks up once of its data, and the rows that its arms read."""

import json
import re

import numpy as np
import pytest

from sightline.launch.studies import rows_of_arms
from sightline.launch.studies.checks import require_apart
from sightline.launch.studies.facts import CorpusFacts, Facts, facts
from sightline.launch.studies.rows_of_arms import RowsOfArms
from sightline.objectives.errors import UsageError
from sightline.tasks.tokens.vocabulary import vocabulary

from .conftest import read_adapted, read_small

pytestmark = pytest.mark.unchecked


def test_a_corpus_is_counted(tmp_path):
    study = read_small()
    found = facts(study, tmp_path, config="this").corpora["policies"]
    corpus = study.mixture("incumbent").corpus("policies")
    vocab = vocabulary(study.vocabulary)
    texts = list(corpus.documents("train"))
    assert (found.train, found.validation, found.shared) == (60, 20, 0)
    # Of 60 documents all are looked at.
    assert found.tokens == sum(len(vocab.encode_document(text)) for text in texts)


def test_what_was_looked_up_is_read_again_unless_the_config_is_another(tmp_path):
    study, file = read_small(), tmp_path / "data.json"
    first = facts(study, tmp_path, config="this")
    assert first.own_share == 1.0
    saved = json.loads(file.read_text())
    saved["corpora"]["policies"]["tokens"] = 7
    file.write_text(json.dumps(saved))
    assert facts(study, tmp_path, config="this").corpora["policies"].tokens == 7
    again = facts(study, tmp_path, config="other")
    assert again.corpora == first.corpora and again.config != first.config


def test_documents_of_both_splits_are_shared_whatever_the_space_in_them(
    tmp_path, monkeypatch
):
    study = read_small()
    corpus = study.mixture("incumbent").corpus("policies")
    train = list(corpus.documents("train"))
    again = [re.sub(" ", "\n ", text) for text in train[:3]] + [train[5] + "x"]
    plain = type(corpus).documents

    def documents(self, split):
        return plain(self, split) if split == "train" else again

    monkeypatch.setattr(type(corpus), "documents", documents)
    found = facts(study, tmp_path, config="this").corpora["policies"]
    assert (found.validation, found.shared) == (4, 3)


def test_corpora_that_share_documents_are_refused_by_name_and_number():
    apart, shared = CorpusFacts(9, 9, 0, 9), CorpusFacts(9, 9, 2, 9)
    require_apart(Facts("", {"a": apart}, 1.0))
    with pytest.raises(UsageError, match=r"would count: 2 documents of .* 'b' are"):
        require_apart(Facts("", {"a": apart, "b": shared}, 1.0))


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.setattr(rows_of_arms, "SAMPLE", 3)
    bindings = "study.mixes={'incumbent': 'incumbent.gin', 'causal': 'causal'}"
    study = read_small(bindings)
    return study, RowsOfArms(study)


def test_a_step_processes_what_its_rows_hold(rows):
    study, made = rows
    tokens = made.tokens(study.mixture("causal"))
    assert 0.7 * study.batch_tokens < tokens <= study.batch_tokens
    with_seed = made.training(study.mixture("causal"), seed=rows_of_arms.HELD_OUT_SEED)
    batches = [next(iter(with_seed))[0] for _ in range(3)]
    with_seed.close()
    filled = [int((batch.decoder.segment_ids > 0).sum()) for batch in batches]
    assert tokens == pytest.approx(np.mean(filled))


def test_the_share_of_a_mixture_that_anothers_objectives_take(rows):
    study, made = rows
    incumbent, causal = (study.mixture(name) for name in ("incumbent", "causal"))
    assert made.own_share(incumbent, incumbent) == 1
    assert made.own_share(causal, incumbent) == 0
    mixed = study.mixture("incumbent")
    rates = {**mixed.rates, "causal": sum(mixed.rates.values())}
    half = type(mixed)(
        "half",
        rates,
        corpora=mixed.corpora,
        settings=mixed.settings,
        vocabulary=mixed.vocabulary,
    )
    own, other = made.own_share(half, incumbent), made.own_share(half, causal)
    assert own + other == pytest.approx(1) and 0.2 < own < 0.8


def test_only_a_grown_budget_asks_for_the_share(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_of_arms, "SAMPLE", 1)
    equal = read_adapted("Adaptation.scratch=('equal',)")
    assert facts(equal, tmp_path, config="equal").own_share == 1.0
    grown = read_adapted("Adaptation.scratch=('grown',)")
    # Of spans and prefixes alone, nothing is the incumbent's.
    assert facts(grown, tmp_path, config="grown").own_share == 0.0

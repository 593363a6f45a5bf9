"""How documents fit windows, by hand and against a loop over tokens."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from sightline.diagnosis.traits.document_fit import (
    document_fit,
    document_fits,
    document_lengths,
)
from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.tokens.tokenised_documents import TokenisedDocuments
from sightline.tasks.tokens.vocabulary import vocabulary

ROWS = decoder_rows(slots=20, predictions=20)
PAIRS = registry.get("sentence_pair")
SMALLEST = PAIRS.smallest()
WINDOW = document_fit(PAIRS, ROWS, np.array([50])).window


def test_shares_of_documents_and_of_tokens_by_hand():
    """Of a document of two windows half is unseen, of one of three two thirds."""
    lengths = np.array([SMALLEST - 1, SMALLEST, WINDOW, 2 * WINDOW, 3 * WINDOW])
    found = document_fit(PAIRS, ROWS, lengths)
    assert (found.objective, found.documents) == ("sentence_pair", 5)
    assert (found.cut, found.dropped) == (2 / 5, 1 / 5)
    assert found.unseen == pytest.approx(3 * WINDOW / (SMALLEST + 6 * WINDOW))


@given(st.lists(st.integers(1, 90), min_size=1, max_size=6))
def test_shares_are_those_of_a_count_of_windows(lengths):
    found = document_fit(PAIRS, ROWS, np.array(lengths))
    kept = [n for n in lengths if n >= SMALLEST]
    assert found.dropped == pytest.approx(1 - len(kept) / len(lengths))
    assert found.cut == pytest.approx(sum(n > WINDOW for n in kept) / len(lengths))
    assert 0 <= found.unseen < 1 and (found.unseen > 0) == (found.cut > 0)


def test_nothing_is_shared_among_no_documents():
    found = document_fit(PAIRS, ROWS, np.zeros(0, int))
    assert found[2:] == (0, 0.0, 0.0, 0.0)


def test_corpora_count_by_the_rate_at_which_an_objective_reads_them():
    """A fourth of one, three fourths of the other; the other task is of no count."""
    rates = {"policies.causal": 1, "english.causal": 3, "english.sentence_pair": 5}
    lengths = {"policies": np.array([5, 5]), "english": np.array([5, 5, 5, 50])}
    both = document_fits(Mixture("m", rates), ROWS, lengths)
    assert [fit.objective for fit in both] == ["causal", "sentence_pair"]
    causal, pairs = both
    assert (causal.documents, causal.cut) == (6, 3 / 4 * 1 / 4)
    assert pairs == document_fit(PAIRS, ROWS, lengths["english"])


def test_an_objective_of_no_rate_has_no_fit():
    mixture = Mixture("m", {"policies.causal": 1, "policies.masked": 0})
    found = document_fits(mixture, ROWS, {"policies": np.array([5])})
    assert [fit.objective for fit in found] == ["causal"]


def test_documents_are_drawn_once_each_and_by_the_seed():
    settings = {"policies": {"train_documents": 9, "validation_documents": 30}}
    mixture = Mixture("m", {"policies.causal": 1}, settings=settings)
    documents = TokenisedDocuments(
        mixture.corpus("policies"), "validation", vocabulary("policies")
    )
    every = sorted(len(documents[n]) for n in range(len(documents)))

    def drawn(limit, seed=0):
        rng = np.random.default_rng(seed)
        return document_lengths(documents, rng, limit=limit).tolist()

    assert sorted(drawn(10**6)) == every
    assert len(drawn(5)) == 5 and drawn(5) == drawn(5) != drawn(5, seed=1)

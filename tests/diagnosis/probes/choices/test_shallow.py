import numpy as np
import pytest

from sightline.diagnosis.probes.choices.items import Item
from sightline.diagnosis.probes.choices.overlap_balance import balance_overlap
from sightline.diagnosis.probes.choices.shallow import (
    baselines,
    baselines_by_kind,
)
from sightline.diagnosis.probes.continuation.continuations import continuations
from sightline.diagnosis.probes.drift.fact_pairs import fact_pairs
from sightline.tasks.corpora.policies import Policies

CORPUS = Policies(seed=4)


@pytest.fixture(scope="module")
def pairs():
    """Items of a hundred documents, and of as many others."""
    return [
        continuations(
            [CORPUS.documents("train")[at] for at in part],
            np.random.default_rng(0),
            each=2,
        )
        for part in (range(100), range(100, 200))
    ]


def test_shallow_baselines_solve_the_change_of_topic_alone(pairs):
    found = baselines_by_kind(*pairs)
    assert found["other"]["shared words"] > 0.65
    for kind in ("further", "swapped"):
        count = sum(item.kind == kind for item in pairs[1])
        for value in found[kind].values():
            assert abs(value - 0.5) < 0.05 + 3 * 0.5 / np.sqrt(count), found


def test_shallow_baselines_do_not_solve_facts():
    fitted, tested = (
        fact_pairs(CORPUS, "train", indices=part, rng=np.random.default_rng(0))
        for part in (range(60), range(60, 120))
    )
    for value in baselines(fitted, tested).values():
        assert abs(value - 0.5) < 0.03 + 3 * 0.5 / np.sqrt(len(tested))


def test_baselines_find_what_is_planted():
    def items(seed: int) -> list[Item]:
        rng = np.random.default_rng(seed)
        made = []
        for document in range(40):
            a, b = (" ".join(rng.choice(list("abcdefgh"), 6)) for _ in "ab")
            made.append(Item(document, "x", (a, f" yes {b}"), (a, f" no {b}")))
        return made

    found = baselines(items(0), items(1))
    assert found["bag of words"] == found["5-gram"] == 1


def test_baselines_refuse_what_they_cannot_be_fitted_to(pairs):
    with pytest.raises(ValueError, match="given 3 items to fit to"):
        baselines(pairs[0][:3], pairs[1])
    with pytest.raises(ValueError, match="0 to test"):
        baselines(pairs[0], [])


def test_evening_out_keeps_as_many_of_either_sign():
    rng = np.random.default_rng(0)
    items = []
    for document in range(400):
        same, other = f"word{document}", "else"
        true, false = (same, other) if rng.random() < 0.7 else (other, same)
        items.append(Item(document, "x", (same, true), (same, false)))
    kept = balance_overlap(items, rng)
    shares = [item.true[1] == item.true[0] for item in kept]
    assert np.mean(shares) == 0.5
    assert 150 < len(kept) < 300
    assert balance_overlap([], rng) == []

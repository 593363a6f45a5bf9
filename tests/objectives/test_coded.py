"""What an Example of coded text says of the objective that made it."""

import numpy as np
import pytest

from sightline.objectives import registry
from sightline.objectives.coded import Contexts, coded_ids, coded_text, contexts, places
from sightline.objectives.example import in_place, sequential

LENGTH = 400


def shares(name: str, **bound) -> Contexts:
    objective = registry.get(name).with_settings(**bound)
    rng, ids = np.random.default_rng(0), coded_ids()
    found = [contexts(objective(coded_text(LENGTH), rng, ids)) for _ in range(40)]
    totals = np.sum(found, axis=0)
    return Contexts(*(totals / totals.sum()))


def test_codes_say_their_places():
    text = coded_text(50, 10, 30)
    np.testing.assert_array_equal(places(text.tokens), np.arange(10, 30))
    assert places(text.document)[-1] == -1
    other = text.other(np.random.default_rng(0))
    assert (places(other) == -1).all()
    ids = coded_ids()
    assert (places(np.asarray(ids.text)) == -1).all()
    assert len(set(ids.text) & set(ids.sentinels)) == 0


@pytest.mark.parametrize(
    ("name", "bound", "expected"),
    [
        ("causal", {}, Contexts(1, 0, 0)),
        ("prefix", {}, Contexts(1, 0, 0)),
        ("permuted", {}, Contexts(0, 0, 1)),
        ("permuted", {"selection": "all"}, Contexts(0, 0, 1)),
        ("sentence_pair", {"max_tokens": LENGTH}, Contexts(0, 1, 0)),
    ],
)
def test_contexts_of_pure_objectives(name, bound, expected):
    assert shares(name, **bound) == expected


def test_two_targets_may_be_in_a_permuted_order():
    """Half of the pairs are; the others cannot be told from an order that ascends."""
    permuted, found = registry.get("permuted"), []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found.append(contexts(permuted(coded_text(14, 0, 14), rng, coded_ids())))
    assert {c.permuted for c in found if c.permuted} == {2}
    assert 60 < sum(c.permuted > 0 for c in found) < 140


@pytest.mark.parametrize("name", ["masked", "span_corruption", "reconstruction"])
def test_only_what_stands_last_is_predicted_from_the_past(name):
    found = shares(name)
    assert found.permuted == 0 and 0 < found.past < 0.1


@pytest.mark.parametrize(("spm", "both"), [(0.0, 1 / 3), (1.0, 2 / 3)])
def test_what_follows_a_suffix_is_predicted_from_both_sides(spm, both):
    """The middle; in SPM order the prefix too. Three parts, cut at random places."""
    found = shares("fill_in_middle", spm=spm)
    assert found.permuted == 0
    assert found.both == pytest.approx(both, abs=0.1)


def test_by_hand():
    """`a b c d`, c dropped: its sentinel and c see d; the EOS that ends it too."""
    a = 512
    example = sequential(
        2,
        [a, a + 1, 112, a + 3],
        [112, a + 2, 1],
        inputs_positions=range(1, 5),
        targets_positions=range(6, 9),
    )
    assert contexts(example) == Contexts(0, 3, 0)
    weights = [0, 1, 0, 1]
    example = in_place(
        1,
        [a, 3, a + 2, 3],
        positions=range(1, 5),
        targets=[0, a + 1, 0, a + 3],
        weights=weights,
    )
    assert contexts(example) == Contexts(1, 1, 0)

"""Pairs of whole sentences: where they are cut, and that the label shows nowhere else.

A token here is told from every other: `FIRST + 4 * place + role`, whose role says
whether it begins (1), ends (2) or is (3) a sentence.
"""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives import registry
from sightline.objectives.sentence_cuts import Kind, matched_pairs
from sightline.objectives.text import Text

pytestmark = pytest.mark.unchecked

FIRST, ELSEWHERE = 2000, 4_000_000
KINDS: tuple[Kind, ...] = ("other", "further", "swapped")
ROLES = np.arange(FIRST, 2 * ELSEWHERE, dtype=np.int32) % 4  # FIRST is of role 0

CASES = [("swapped", None), ("other", None), ("further", None)]
CASES += [("further", distance) for distance in (1, 9, 40)]


@pytest.fixture(scope="session")
def numbered_ids(ids):
    """The ids of sentences' first and last tokens."""
    numbers = np.arange(FIRST, 2 * ELSEWHERE, dtype=np.int32)
    return ids._replace(
        word_starts=numbers[(ROLES == 1) | (ROLES == 3)],
        sentence_ends=numbers[ROLES >= 2],
    )


def prose(rng, tokens, *, mean=6.0, first=FIRST):
    """A document of sentences whose lengths are geometric; the last one is broken."""
    ends = rng.random(tokens) < 1 / mean
    begins = np.concatenate([[True], ends[:-1]])
    document = first + 4 * np.arange(tokens) + begins + 2 * ends
    return np.append(document, 1).astype(np.int32)


def make(seed, tokens, start, stop, *, mean=6.0):
    rng = np.random.default_rng(seed)

    def other(rng):
        return prose(rng, int(rng.integers(20, 300)), mean=mean, first=ELSEWHERE)

    return Text(prose(rng, tokens, mean=mean), start, stop, other)


def only(kind, rate=0.5):
    return {**dict.fromkeys(KINDS, 0.0), kind: rate}


def role(tokens):
    return (tokens - FIRST) % 4


def starts_of(document):
    begins = (role(document[1:-1]) % 2 == 1) & (role(document[:-2]) >= 2)
    return 1 + np.flatnonzero(begins)


def place(token):
    return (int(token) - FIRST) // 4


windows = st.tuples(
    st.integers(0, 2**32),
    st.integers(0, 80),
    st.integers(4, 130),
    st.sampled_from([0, 1, 50, 250, 400]),
)


@pytest.mark.parametrize(("kind", "distance"), CASES)
@settings(max_examples=120, deadline=None)
@given(window=windows)
def test_pairs_meet_at_sentence_ends(kind, distance, window, numbered_ids):
    seed, start, length, after = window
    stop = min(start + length, start + length + after)
    text = make(seed, start + length + after, start, stop + (after == 0))
    rng = np.random.default_rng(seed)
    made = matched_pairs(text, rng, numbered_ids, rates=only(kind), distance=distance)
    if made is None:
        assert len(starts_of(text.document[start : stop + 1])) < 3
        return
    first, second = made.true
    assert min(map(len, (*made.true, *made.false))) > 0
    joined = np.concatenate([first, second])
    at = place(first[0])
    np.testing.assert_array_equal(joined, text.document[at : at + len(joined)])
    assert start <= at and at + len(joined) <= stop
    assert all(role(part[0]) % 2 == 1 for part in (*made.true, *made.false))
    assert role(first[-1]) >= 2
    if len(made.false[0]) != len(first) or made.false[0][0] != first[0]:
        np.testing.assert_array_equal(made.false[0], second)
        np.testing.assert_array_equal(made.false[1], first)
        assert role(second[-1]) >= 2
        inside = starts_of(text.document)
        if ((inside >= start) & (inside <= stop)).sum() > 2:
            assert not np.isin(text.document[[0, -2]], joined).any()
        return
    np.testing.assert_array_equal(made.false[0], first)
    assert len(made.false[1]) == len(second)
    assert text.document[-2] not in np.concatenate([second, made.false[1]])
    if kind == "further":
        _is_further(text, made, distance)


def _is_further(text, made, distance):
    begins, cut = place(made.false[1][0]), place(made.true[1][0])
    expected = text.document[begins : begins + len(made.false[1])]
    np.testing.assert_array_equal(made.false[1], expected)
    if distance is None:
        assert begins >= text.stop
    else:
        starts = starts_of(text.document)
        assert begins == starts[starts >= cut + distance][0]


@pytest.mark.parametrize(("kind", "distance"), CASES)
@settings(max_examples=60, deadline=None)
@given(window=windows)
def test_the_label_is_drawn_when_all_else_is(kind, distance, window, numbered_ids):
    """The same randomness, nearly always and nearly never a negative."""
    seed, start, length, after = window
    text = make(seed, start + length + after, start, start + length + (after == 0))
    shapes = []
    for rate in (1e-9, 1 - 1e-9):
        objective = registry.get("sentence_pair").with_settings(
            unit="sentence", distance=distance, **only(kind, rate)
        )
        example = objective(text, np.random.default_rng(seed), numbered_ids)
        cut = int(np.flatnonzero(example.inputs == numbered_ids.sep)[0])
        shapes.append((cut, len(example.inputs) - 1 - cut))
        assert example.targets.tolist() == [numbered_ids.labels[rate < 0.5]]
    yes, no = shapes
    # Swapped, whether asked for or in place of another kind; else of equal lengths.
    assert no in ((yes, yes[::-1]) if kind != "swapped" else (yes[::-1],))


def features(first, second):
    """What a pair shows without what it says."""
    begins = [np.flatnonzero(role(part) % 2 == 1) for part in (first, second)]
    return [
        len(first),
        len(second),
        len(begins[0]),
        len(begins[1]),
        np.append(begins[0], len(first))[1],
        np.append(begins[1], len(second))[1],
        len(first) - begins[0][-1],
        len(second) - begins[1][-1],
        role(second[-1]) >= 2,
        (role(second[:4]) >= 2).sum(),
        (role(second[-4:]) >= 2).sum(),
        role(first[0]) % 2 == 1,
        role(second[0]) % 2 == 1,
    ]


@pytest.mark.parametrize(("kind", "distance"), CASES[:4])
@pytest.mark.parametrize("where", ["begins", "inside", "ends", "near the end"])
def test_no_shape_tells_the_label(kind, distance, where, numbered_ids):
    """Sentences of random lengths: every shape of a pair has equal means, 5 σ.

    So have the products of two shapes, which see what only goes together.
    """
    spans = {
        "begins": (0, 60),
        "inside": (200, 260),
        "ends": (440, 501),
        "near the end": (300, 360),
    }
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(2000):
        text = make(seed, 500, *spans[where], mean=8.0)
        made = matched_pairs(
            text, rng, numbered_ids, rates=only(kind), distance=distance
        )
        if made is not None:
            rows.append([features(*made.true), features(*made.false)])
    shapes = np.array(rows, float)
    assert len(shapes) > 1800
    centre, spread = shapes.mean((0, 1)), shapes.std((0, 1))
    shapes = (shapes - centre) / np.maximum(spread, 1e-9)
    pairs = np.einsum("nlf,nlg->nlfg", shapes, shapes).reshape(len(shapes), 2, -1)
    for found in (shapes, pairs):
        differences = found[:, 0] - found[:, 1]
        error = differences.std(0) / np.sqrt(len(differences))
        assert np.all(np.abs(differences.mean(0)) <= 5 * error + 1e-9)


def test_swapping_leaves_the_counts_of_sentences_as_they_are(numbered_ids):
    """(k, n - k) and (n - k, k) are equally likely, for each window by itself."""
    for seed in range(5):
        text = make(seed, 400, 90, 190, mean=12.0)
        rng = np.random.default_rng(seed)
        counts = []
        for _ in range(1500):
            made = matched_pairs(
                text, rng, numbered_ids, rates=only("swapped"), distance=None
            )
            assert made is not None
            counts.append([(role(part) % 2 == 1).sum() for part in made.true])
        one, two = np.array(counts).T
        for k in range(1, one.max() + 1):
            difference = (one == k).sum() - (two == k).sum()
            assert abs(difference) <= 5 * np.sqrt((one == k).sum() + (two == k).sum())


def test_rates_are_those_of_the_kinds(numbered_ids):
    rates: dict[Kind, float] = {"other": 0.2, "further": 0.1, "swapped": 0.3}
    objective = registry.get("sentence_pair").with_settings(unit="sentence", **rates)
    rng, found = np.random.default_rng(0), dict.fromkeys(rates, 0)
    for seed in range(3000):
        text = make(seed % 40, 900, 100, 220)
        example = objective(text, rng, numbered_ids)
        at = int(np.flatnonzero(example.inputs == numbered_ids.sep)[0])
        if example.targets[0] == numbered_ids.labels[1]:
            assert example.inputs[at + 1] > example.inputs[at - 1]
        elif example.inputs[at + 1] >= ELSEWHERE:
            found["other"] += 1
        else:
            later = place(example.inputs[at + 1]) >= text.stop
            found["further" if later else "swapped"] += 1
    for kind, rate in rates.items():
        # A cut now and then fails; swapped pairs take its place.
        assert abs(found[kind] / 3000 - rate) < 0.01 + 5 * np.sqrt(rate / 3000)

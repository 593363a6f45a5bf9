"""Blocks of numbered sentences, so that windows and orders can be told."""

import numpy as np
import pytest

from sightline.diagnosis.probes.drift.block_shuffle import BLOCKS, block_shuffle

pytestmark = pytest.mark.unchecked


def document(count):
    """Sentences of five words, each with its number."""
    return " ".join(f"Now comes the sentence s{n}." for n in range(count))


def numbers(text):
    return [int(word[1:-1]) for word in text.split() if word[1:-1].isdigit()]


def items_of(text, *, seed=0, most_words=256):
    rng = np.random.default_rng(seed)
    return block_shuffle([text], rng, most_words=most_words)


@pytest.mark.parametrize(
    ("most_words", "kinds"), [(14, []), (15, [1]), (25, [1, 2]), (50, [1, 2, 3, 4])]
)
def test_a_window_of_three_blocks_or_more_is_asked(most_words, kinds):
    """Of ten inner sentences; the last block may be shorter."""
    items = items_of(document(12), most_words=most_words)
    assert [item.kind for item in items] == [f"blocks of {k}" for k in kinds]
    for item in items:
        assert len(numbers(item.true[1])) == most_words // 5


def test_windows_begin_wherever_enough_follows_and_leave_out_both_ends():
    begins, text = set(), document(12)
    for seed in range(60):
        for item in items_of(text, seed=seed, most_words=20):
            true = numbers(item.true[1])
            assert true == list(range(true[0], true[0] + 4))
            assert item.true == ("", item.true[1]) and item.true[1] in text
            begins.add(true[0])
    assert begins == set(range(1, 8))


def test_blocks_stay_whole_and_the_first_in_its_place():
    seen = {k: set() for k in BLOCKS}
    for seed in range(20):
        for item in items_of(document(19), seed=seed):
            k = int(item.kind.split()[-1])
            true, false = numbers(item.true[1]), numbers(item.false[1])
            assert true == list(range(1, 18)) and false != true
            assert false[:k] == true[:k]
            blocks = [true[at : at + k] for at in range(0, 17, k)]
            found = []
            while false:
                (block,) = [block for block in blocks if block[0] == false[0]]
                assert false[: len(block)] == block
                found.append(block)
                false = false[len(block) :]
            assert sorted(found) == blocks
            seen[k].add(tuple(block[0] for block in found))
    assert all(len(orders) > 4 for orders in seen.values())

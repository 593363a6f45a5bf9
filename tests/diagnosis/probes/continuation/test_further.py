"""Later passages against the next one, where the order can be known."""

import numpy as np
import pytest

from sightline.diagnosis.probes.choices.items import Item
from sightline.diagnosis.probes.choices.paragraphs import paragraphs, word_count
from sightline.diagnosis.probes.continuation.further import (
    FEWEST,
    continuation_items,
    further_on,
    handover_margin,
)
from sightline.diagnosis.probes.material import Material, Plan
from sightline.tasks.corpora.policies import Policies, handovers

pytestmark = pytest.mark.unchecked

DOCUMENTS = 30
POLICIES = Policies(fewest_facts=2, most_facts=3)


class Prose:
    """A corpus of long documents with nothing to decide their order."""

    name, splits, vocabulary = "prose", ("train", "validation"), "toy"

    @staticmethod
    def documents(split):
        rng = np.random.default_rng(split == "train")
        return [
            "\n\n".join(
                " ".join(f"w{n}" for n in rng.integers(50, size=20)) + "."
                for _ in range(paragraphs)
            )
            for paragraphs in (2, 8, 40) * 10
        ]


def read(corpus):
    tested, fitted = (corpus.documents(s)[:DOCUMENTS] for s in ("validation", "train"))
    return Material(corpus, tested, fitted, 300, Plan())


@pytest.fixture(scope="module")
def policies():
    return read(POLICIES)


@pytest.fixture(scope="module")
def items(policies):
    return further_on(policies, "validation", np.random.default_rng(0))


def test_hand_overs_decide_every_item(policies, items):
    assert len(items) > DOCUMENTS // 2
    for item in items:
        assert handover_margin(item) == 1
        assert handover_margin(item._replace(true=item.false, false=item.true)) == -1
        # A names the false giver too, so that a name in common tells nothing.
        assert handovers(item.false[1])[0].giver in item.true[0]
        text = policies.tested[item.document]
        assert "".join(item.true) in text and item.false[1] in text
        assert item.true[0] == item.false[0]
        assert word_count(item.true[1]) == word_count(item.false[1])


def test_what_no_hand_over_decides_is_left_out():
    # The planted fault: the false B begins with the same giver, or A has no receiver.
    true = (
        "Legal is followed by Sales, and Risk is told so.",
        " Sales is followed by Risk, and Legal is told so.",
    )
    assert handover_margin(Item(0, "", true, true)) == 0
    silent = ("Nothing is said.", true[1])
    assert handover_margin(Item(0, "", silent, true)) == 0


def test_distances_are_counted_in_paragraphs(policies, items):
    kinds = {item.kind for item in items}
    assert {"further, 2 on", "further, 3-5 on"} <= kinds
    for item in items:
        units = paragraphs(policies.tested[item.document], fewest=2)
        ends = [
            n for n, unit in enumerate(units) if item.true[0].endswith(unit.strip())
        ]
        nexts = [n for n, unit in enumerate(units) if unit.startswith(item.true[1])]
        later = [n for n, unit in enumerate(units) if unit.startswith(item.false[1])]
        assert ends[0] + 1 in nexts
        distances = {n - ends[0] for n in later}
        if item.kind == "further, 2 on":
            assert 2 in distances
        if item.kind == "further, 3-5 on":
            assert distances & {3, 4, 5}


def test_a_document_without_order_gives_none():
    prose = read(Prose())
    found = further_on(prose, "validation", np.random.default_rng(0))
    assert found
    for item in found:
        units = paragraphs(prose.tested[item.document], fewest=2)
        assert len(units) >= FEWEST + 2
        # Neither the first nor the last paragraph, which show by themselves.
        for pair in (item.true, item.false):
            assert not units[-1].startswith(pair[1])
            assert not pair[0].startswith(units[0])
    assert {item.kind for item in found} >= {"further, 2 on", "further, 6-16 on"}


def test_the_probe_asks_all_types_and_follows_from_its_seed(policies):
    made = [
        continuation_items(policies, "validation", np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    assert made[0] == made[1] != made[2]
    assert {item.kind.split(",")[0] for item in made[0]} == {
        "other",
        "further",
        "swapped",
    }
    documents = [item.document for item in made[0]]
    assert documents == sorted(documents)

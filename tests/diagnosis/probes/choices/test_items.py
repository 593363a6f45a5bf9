"""Every maker of items: their shape, their limits, and the seeds they follow from."""

import numpy as np
import pytest

from sightline.diagnosis.probes.choices.items import Item, alone
from sightline.diagnosis.probes.choices.paragraphs import sentences, word_count
from sightline.diagnosis.probes.continuation.continuations import continuations
from sightline.diagnosis.probes.drift.block_shuffle import block_shuffle
from sightline.diagnosis.probes.drift.fact_pairs import fact_pairs
from sightline.diagnosis.probes.drift.jump_ahead import jump_ahead
from sightline.diagnosis.probes.drift.minimal_pairs import minimal_pairs
from sightline.tasks.corpora.policies import Policies, contradictions

pytestmark = pytest.mark.unchecked

MAKERS = (block_shuffle, continuations, jump_ahead, minimal_pairs)
DOCUMENTS = 10


@pytest.fixture(scope="module")
def texts():
    return Policies(seed=3).documents("train")[:DOCUMENTS]


@pytest.fixture(scope="module")
def made(texts):
    return {make: make(texts, np.random.default_rng(0)) for make in MAKERS}


@pytest.mark.parametrize("make", MAKERS)
def test_items_follow_from_the_seed(make, texts, made):
    assert made[make]
    assert make(texts, np.random.default_rng(0)) == made[make]
    assert make(texts, np.random.default_rng(1)) != made[make]


@pytest.mark.parametrize("make", MAKERS)
def test_true_pairs_are_what_the_document_says(make, texts, made):
    for item in made[make]:
        assert "".join(item.true) in texts[item.document]
        assert item.true != item.false
        assert item.local <= len(item.true[0])


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_before_fits(make, texts):
    for item in make(texts, np.random.default_rng(0), most_words=40):
        assert word_count(item.true[0]) <= 80
        assert word_count(item.false[0]) <= 80


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("text", ["", "\n\n", "One.", "One two three four five six."])
def test_documents_without_room_give_no_items(make, text):
    assert make([text, text], np.random.default_rng(0)) == []
    assert make([], np.random.default_rng(0)) == []


def test_jump_ahead_shows_as_many_words_of_either(texts, made):
    for item in made[jump_ahead]:
        assert item.true[0] == item.false[0]
        assert word_count(item.true[1]) == word_count(item.false[1]) <= 48
        assert texts[item.document].index(item.false[1]) > 0


def test_neither_text_of_a_continuation_begins_or_ends_its_document(texts, made):
    for item in made[continuations]:
        for pair in (item.true, item.false):
            for text in texts:
                assert not text.startswith(pair[1].lstrip())
                assert not text.endswith(pair[1])
        if item.kind == "swapped":
            assert [part.strip() for part in item.false] == [
                part.strip() for part in item.true[::-1]
            ]
        else:
            assert item.true[0] == item.false[0]
            assert word_count(item.true[1]) == word_count(item.false[1])
        inside = item.false[1] in texts[item.document]
        assert inside == (item.kind != "other")


def test_shuffled_blocks_have_the_same_sentences_and_the_same_first(made):
    for item in made[block_shuffle]:
        k = int(item.kind.split()[-1])
        true, false = (sentences(pair[1]) for pair in (item.true, item.false))
        assert true[:k] == false[:k]
        assert sorted("".join(true).split()) == sorted("".join(false).split())


def test_minimal_pairs_swap_numbers_and_names_both_ways(texts, made):
    first = [
        (item.document, item.kind.split(",")[0], *parted(item))
        for item in made[minimal_pairs]
        if not item.kind.startswith("polarity")
    ]
    assert len(first) > DOCUMENTS
    swapped = [(document, kind, b, a) for document, kind, a, b in first]
    assert sorted(first) == sorted(swapped)


def parted(item: Item) -> tuple[str, str]:
    """The words by which the two texts begin to differ."""
    true, false = (pair[1].split() for pair in (item.true, item.false))
    while true[-1] == false[-1]:
        true, false = true[:-1], false[:-1]
    return " ".join(true).strip(".,"), " ".join(false).strip(".,")


def test_both_values_of_a_minimal_pair_were_stated_before(made):
    for item in made[minimal_pairs]:
        assert item.true[0] == item.false[0]
        if not item.kind.startswith("polarity"):
            needed = item.true[0][len(item.true[0]) - item.needed :]
            assert all(value in needed for value in parted(item))


def test_a_restatement_is_found_in_plain_text():
    text = (
        "The heron lamp burns for 12 hours. The badger lamp burns for 34 hours. "
        "Nothing else is said of them here. Again, the heron lamp goes out after 12 "
        "hours of use. Again, the badger lamp goes out after 34 hours of use."
    )
    # So the words that both lamps have in common are not rare.
    others = ["Again, the lamp burns for hours. It goes out after long use."] * 9
    items = minimal_pairs([text, *others], np.random.default_rng(0))
    assert {(item.true[1], item.false[1]) for item in items} == {
        (" 12 hours of use.", " 34 hours of use."),
        (" 34 hours of use.", " 12 hours of use."),
    }
    for item in items:
        assert item.kind == "number, < 64 words"
        assert item.needed == len(item.true[0])
        assert alone(item.true, item.local).startswith("Again, the ")
    texts = [text, *others]
    assert minimal_pairs(texts, np.random.default_rng(0), most_words=20) == []


def test_what_the_text_leaves_open_is_no_restatement():
    text = (
        "In spring, the heron lamp burns for 12 hours. In autumn, the heron lamp burns "
        "for 34 hours. The heron lamp went out after 12 hours. The heron lamp went out "
        "after 34 hours."
    )
    assert minimal_pairs([text], np.random.default_rng(0)) == []


def test_as_many_items_affirm_as_deny():
    # Two documents deny, and three affirm; one of the three is left out.
    def text(name: str, pole: str, other: str) -> str:
        return (
            f"The {name} valve {pole} be opened daily. The office {other} be painted. "
            f"In any season, the {name} valve {pole} be opened by hand."
        )

    affirm = [text(name, "must", "must not") for name in ("heron", "otter", "badger")]
    deny = [text(name, "must not", "must") for name in ("magpie", "weasel")]
    filler = [f"Nothing of note number {n}." for n in range(45)]
    items = minimal_pairs([*affirm, *deny, *filler], np.random.default_rng(0))
    assert len(items) == 4
    denied = [item.true[1].startswith(" not") for item in items]
    assert sum(denied) == 2
    for item, no in zip(items, denied, strict=True):
        assert item.false[1].startswith(" not") != no
        assert item.true[0].endswith("must")


def test_a_false_fact_contradicts_its_document(texts):
    corpus = Policies(seed=3)
    items = fact_pairs(
        corpus, "train", indices=range(DOCUMENTS), rng=np.random.default_rng(0)
    )
    assert {item.kind.split(",")[0] for item in items} == {
        "number",
        "entity",
        "polarity",
    }
    for item in items:
        assert "".join(item.true) in texts[item.document]
        assert not contradictions("".join(item.true))
        assert contradictions("".join(item.false))

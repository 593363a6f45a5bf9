"""Which Examples a part has: shares to the Example, and others where one is missing."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives.errors import UsageError
from sightline.objectives.registry import get
from sightline.tasks.recorded import examples_of_part
from sightline.tasks.recorded.examples_of_part import PartExamples
from sightline.tasks.recorded.recipe import Group, Part
from sightline.tasks.recorded.window_order import WindowOrder
from sightline.tasks.tokens.tokenised_documents import TokenisedDocuments
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked

WORDS = vocabulary("bytes")
WINDOW = 20


class Repeated:
    """Documents of one letter each, of which no sentence pair can be made."""

    name = "small"

    def __init__(self, *others):
        self._texts = ["a" * 70] * 4 + list(others)

    def documents(self, split):
        return self._texts


def part_of(corpus, shares, start, stop, *, number=0, seed=3, **settings):
    """A part of a group of tasks on one corpus."""
    documents = TokenisedDocuments(corpus, "train", WORDS)
    lengths = np.array([len(documents[n]) for n in range(len(documents))])
    names = [f"small.{name}" for name in shares]
    total = sum(shares.values())
    group = Group(
        "mixed", "train", {f"small.{n}": s / total for n, s in shares.items()}, seed
    )
    return PartExamples(
        Part(group, number, start, stop),
        objectives={
            task: get(name := task.partition(".")[2]).with_settings(
                **settings.get(name, {})
            )
            for task in names
        },
        windows={
            task: WindowOrder(task, lengths, window=WINDOW, smallest=4, seed=seed)
            for task in names
        },
        documents=dict.fromkeys(names, documents),
        ids=WORDS.special_ids,
    )


def content(example):
    return tuple(np.asarray(value).tobytes() for value in example)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(("causal", "masked", "permuted")),
        st.integers(1, 7),
        min_size=1,
    ),
    st.lists(st.integers(0, 90), min_size=2, max_size=4),
)
def test_over_its_parts_a_group_has_each_task_s_share(small_corpus, shares, ends):
    corpus = small_corpus([90, 45, 70, 10])
    ends = [0, *sorted(ends)]
    counts = Counter()
    for number, (start, stop) in enumerate(itertools.pairwise(ends)):
        made = part_of(corpus, shares, start, stop, number=number)
        counts.update(example.objective for example in made)
        assert made.without_example == 0
        for name, share in shares.items():
            exact = share / sum(shares.values()) * stop
            assert abs(counts[get(name).id] - exact) <= 0.5 + 1e-9


def test_an_epoch_of_one_task_has_every_window_once_and_the_next_has_others(
    small_corpus,
):
    corpus = small_corpus([90, 45, 70, 10])
    size = 5 + 3 + 4 + 1  # windows of 20 tokens, of documents with their EOS
    whole = list(map(content, part_of(corpus, {"causal": 1}, 0, size)))
    assert len(set(whole)) == len(whole) == size
    again = list(map(content, part_of(corpus, {"causal": 1}, size, 2 * size)))
    assert sorted(again) == sorted(whole) and again != whole
    masked = [
        list(map(content, part_of(corpus, {"masked": 1}, *ends)))
        for ends in ((0, size), (size, 2 * size))
    ]
    assert not set(masked[0]) & set(masked[1])


@pytest.mark.parametrize("chunk", [1, 3, 512])
def test_examples_do_not_depend_on_how_many_are_made_at_a_time(
    small_corpus, monkeypatch, chunk
):
    corpus, shares = small_corpus([90, 45, 70, 10]), {"causal": 1, "masked": 2}
    expected = list(map(content, part_of(corpus, shares, 7, 25)))
    monkeypatch.setattr(examples_of_part, "CHUNK", chunk)
    assert list(map(content, part_of(corpus, shares, 7, 25))) == expected
    other = list(map(content, part_of(corpus, shares, 7, 25, number=1)))
    assert sorted(other) == sorted(expected) and other != expected


def test_text_that_gives_no_example_is_refused_with_its_part():
    found = part_of(Repeated(), {"causal": 1, "sentence_pair": 1}, 0, 10)
    with pytest.raises(UsageError, match=(
        r"'small\.sentence_pair' makes no Example of the 5 windows of part 0 of train "
        r"mixed; give it other text"
    )):  # fmt: skip
        list(found)
    assert found.without_example == 5


def test_others_of_the_windows_take_the_place_of_those_without_an_example():
    story = "Once a fox ran far. It saw a crow, and sat down to sleep at noon."
    swapped = {"other": 0.0, "further": 0.0, "swapped": 0.5}
    found = part_of(
        Repeated(story),
        {"causal": 1, "sentence_pair": 1},
        0,
        40,
        sentence_pair=swapped,
    )
    examples = list(found)
    pairs = [e for e in examples if e.objective == get("sentence_pair").id]
    assert (len(examples), len(pairs)) == (40, 20) and found.without_example > 10
    # The text of each is that of a window of the story.
    tokens = WORDS.encode_document(story).tolist()
    windows = [tokens[at : at + WINDOW] for at in range(0, len(tokens), WINDOW)]
    for example in pairs:
        text = Counter([*example.inputs.tolist(), *example.targets.tolist()])
        kept = Counter({t: n for t, n in text.items() if t in tokens})
        assert any(kept <= Counter(window) for window in windows)
    assert len(set(map(content, pairs))) > 10


def test_alone_a_task_goes_without_them_and_counts_them():
    found = part_of(Repeated(), {"sentence_pair": 1}, 0, 10)
    assert list(found) == [] and found.without_example == 10

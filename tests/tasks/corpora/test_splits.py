"""Parts of a split: what they are called, hold, and may not share."""

import pytest
from hypothesis import given, strategies as st

from sightline.objectives.errors import UsageError
from sightline.tasks.corpora import EmptySplitError
from sightline.tasks.corpora._splits import Part, Slice, check_parts, open_part, parts

percent = st.integers(0, 100)


def part(text):
    """The part of that name, beside one of another split."""
    return parts("c4", text, "another_split")["train"]


@pytest.mark.parametrize(
    ("text", "expected", "shown"),
    [
        ("train", Part("train", 0, 100), "train"),
        ("train[:99%]", Part("train", 0, 99), "train[0%:99%]"),
        ("train[99%:]", Part("train", 99, 100), "train[99%:100%]"),
        ("a-b.c[5%:7%]", Part("a-b.c", 5, 7), "a-b.c[5%:7%]"),
        ("train[:]", Part("train", 0, 100), "train"),
    ],
)
def test_a_part_is_named_by_its_percents(text, expected, shown):
    assert part(text) == expected and str(expected) == shown
    assert part(shown) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write the name of a split, or a part of one in whole percent"),
        ("train[:99]", r"c4\.train is 'train\[:99\]'; write the name"),
        ("train[:9.5%]", "in whole percent"),
        ("train[5%]", "in whole percent"),
        ("train+test", "in whole percent"),
        ("train[7%:7%]", "a part lies within 0 % and 100 %"),
        ("train[9%:7%]", "a part lies within"),
        ("train[:101%]", "a part lies within"),
        ("train[:0%]", "a part lies within"),
    ],
)
def test_what_names_no_part_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        part(text)


@given(st.integers(0, 250), percent, percent, percent)
def test_parts_that_meet_share_no_document_and_lose_none(count, one, two, three):
    first, middle, last = sorted((one, two, three))
    documents = [str(number) for number in range(count)]
    before, after, whole = (
        list(Slice(documents, Part("train", *ends)))
        for ends in ((first, middle), (middle, last), (first, last))
    )
    assert before + after == whole
    assert list(Slice(documents, Part("train"))) == documents
    # Rounded down to whole documents at both ends.
    assert len(documents) * first // 100 == (
        int(whole[0]) if whole else count * last // 100
    )


def test_a_slice_has_no_document_before_or_behind_it():
    found = Slice("abcdefghij", Part("train", 20, 50))
    assert (found[0], found[2], len(found)) == ("c", "e", 3)
    for index in (-1, 3):
        with pytest.raises(IndexError, match=f"document {index} of 3"):
            found[index]


@given(percent, percent, percent, percent)
def test_parts_are_refused_that_share_a_percent(a, b, c, d):
    (a, b), (c, d) = sorted((a, b)), sorted((c, d))
    if a == b or c == d:
        return
    texts = [f"train[{start}%:{stop}%]" for start, stop in ((a, b), (c, d))]
    if set(range(a, b)) & set(range(c, d)):
        with pytest.raises(UsageError, match=r"share documents, .* '.*\[:99%\]' and"):
            parts("c4", *texts)
    else:
        assert parts("c4", *texts)["validation"] == Part("train", c, d)
    assert len(parts("c4", texts[0], texts[1].replace("train", "other"))) == 2


def test_splits_that_the_data_set_lacks_are_named():
    read = parts("c4", "train", "validaton")
    check_parts("c4", "c4/en", read, iter(["train", "validaton"]))
    message = r"c4/en has no split 'validaton'; did you mean 'validation'.*"
    message += r" Set c4\.validation; a part of one split is 'train\[99%:\]'"
    with pytest.raises(UsageError, match=message):
        check_parts("c4", "c4/en", read, ["train", "validation"])
    with pytest.raises(UsageError, match=r"has no split 'train'; .*'train\[99%:\]'"):
        check_parts("c4", "c4/en", read, [])


def test_a_part_without_a_document_is_refused():
    opened = []

    def open_split(split):
        opened.append(split)
        return "abc"

    assert list(open_part("c4", "c4/en", Part("test", 0, 50), open_split)) == ["a"]
    with pytest.raises(EmptySplitError, match=(
        r"c4/en has no documents in 'test\[0%:33%\]'; set c4\.train and"
    )):  # fmt: skip
        open_part("c4", "c4/en", Part("test", 0, 33), open_split)
    assert opened == ["test", "test"]

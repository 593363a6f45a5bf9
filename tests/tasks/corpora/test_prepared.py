"""Documents copied for random access: what they hold, and how damage is told."""

import functools
import hashlib

import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives.errors import UsageError
from sightline.tasks.corpora import _prepared
from sightline.tasks.corpora._prepared import SUMMARY, contents, open_split

prepare = functools.partial(_prepared.prepare, where="/docs", unchanged=lambda: True)
texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=6)


@settings(max_examples=20, deadline=None)
@given(texts, texts)
def test_documents_come_back_with_their_number_and_digest(
    tmp_path_factory, train, held_out
):
    final = tmp_path_factory.mktemp("corpora") / "deep" / "own"
    splits = {"train": lambda: iter(train), "held_out": lambda: held_out}
    assert prepare(final, splits, version=3) == final
    for name, documents in (("train", train), ("held_out", held_out)):
        found = open_split(final, name)
        assert [found[n] for n in range(len(found))] == documents
        told = contents(final)[name]
        assert told["documents"] == len(documents)
        # Each behind its length, so that no cut of the same letters has this digest.
        data = [text.encode() for text in documents]
        parts = b"".join(len(each).to_bytes(8, "little") + each for each in data)
        assert told["sha256"] == hashlib.sha256(parts).hexdigest()
    assert '"version": 3' in (final / SUMMARY).read_text()
    assert [path.name for path in final.parent.iterdir()] == ["own"]


def test_what_is_prepared_is_not_prepared_again_and_a_stop_leaves_nothing(tmp_path):
    final = tmp_path / "own"

    def stopped():
        yield "one"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(final, {"train": stopped})
    assert list(tmp_path.iterdir()) == []
    prepare(final, {"train": lambda: ["one"]})
    prepare(final, {"train": stopped})
    assert open_split(final, "train")[0] == "one"


def test_a_process_that_was_slower_takes_what_is_there(tmp_path):
    final = tmp_path / "own"

    def slower():
        prepare(final, {"train": lambda: ["first"]})
        return ["second"]

    prepare(final, {"train": slower})
    assert open_split(final, "train")[0] == "first"


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:100]),
    ],
    ids=["missing", "empty", "cut"],
)
def test_damage_names_the_folder_and_the_cure(tmp_path, harm):
    final = prepare(tmp_path / "own", {"train": lambda: ["one", "two"]})
    harm(final / "train")
    with pytest.raises(UsageError, match=r"corpus .*own is damaged \(.*delete that"):
        print(open_split(final, "train")[1])


def test_there_is_no_document_before_the_first_or_behind_the_last(tmp_path):
    found = open_split(prepare(tmp_path / "a", {"train": lambda: ["one"]}), "train")
    for index in (-1, 1):
        with pytest.raises(IndexError, match=f"document {index} of 1"):
            found[index]


def test_what_changed_while_it_was_read_is_not_kept(tmp_path):
    with pytest.raises(UsageError, match=r"^/docs changed while it was read; run"):
        prepare(tmp_path / "a", {"train": lambda: ["one"]}, unchanged=lambda: False)
    assert list(tmp_path.iterdir()) == []

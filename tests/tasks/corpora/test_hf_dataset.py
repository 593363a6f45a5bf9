"""Data sets of Hugging Face on disk: Arrow where it lies, Parquet copied once."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.objectives.errors import UsageError
from sightline.tasks import corpora

TRAIN = [f"document {n}: naïve café" for n in range(50)]
HELD_OUT = ["held out one", "held out two", "held out three"]


def table(texts, column="text"):
    return pa.table({column: texts, "n": list(range(len(texts)))})


def save_arrow(folder, texts, *, shards=2, split=None):
    """What `Dataset.save_to_disk` writes: files in Arrow's stream format."""
    folder.mkdir(parents=True)
    names = [f"data-{n:05d}-of-{shards:05d}.arrow" for n in range(shards)]
    for name, part in zip(names, np.array_split(texts, shards), strict=True):
        whole = table(part.tolist())
        with pa.OSFile(str(folder / name), "wb") as file:
            with pa.ipc.new_stream(file, whole.schema) as stream:
                stream.write_table(whole, max_chunksize=7)
    files = [{"filename": name} for name in names]
    (folder / "state.json").write_text(
        json.dumps({"_data_files": files, "_split": split})
    )
    (folder / "dataset_info.json").write_text("{}")


@pytest.fixture
def arrow(tmp_path):
    """What `DatasetDict.save_to_disk` writes."""
    folder = tmp_path / "arrow"
    save_arrow(folder / "train", TRAIN, shards=3)
    save_arrow(folder / "validation", HELD_OUT, shards=1)
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    return folder


@pytest.fixture
def parquet(tmp_path):
    folder = tmp_path / "parquet"
    (folder / "data").mkdir(parents=True)
    for n, part in enumerate(np.array_split(TRAIN, 2)):
        name = f"train-{n:05d}-of-00002-0123456789abcdef.parquet"
        pq.write_table(table(part.tolist()), folder / "data" / name, row_group_size=9)
    pq.write_table(table(HELD_OUT), folder / "data" / "dev-00000-of-00001.parquet")
    return folder


def texts_of(corpus):
    corpus.check()
    return [list(corpus.documents(split)) for split in corpus.splits]


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_every_document_in_order(kind, request):
    folder = request.getfixturevalue(kind)
    corpus = corpora.get("hf_dataset", folder=str(folder))
    assert texts_of(corpus) == [TRAIN, HELD_OUT]
    documents = corpus.documents("train")
    order = np.random.default_rng(0).permutation(len(TRAIN))
    assert [documents[int(n)] for n in order] == [TRAIN[n] for n in order]
    for outside in (-1, len(TRAIN)):
        with pytest.raises(IndexError):
            documents[outside]


@pytest.mark.parametrize(
    ("said", "split"),
    [(None, "train"), ("test", "test"), ("train[:10%]", "train"), ("a+b", "train")],
)
def test_a_dataset_that_was_saved_alone_is_cut_in_two(said, split, tmp_path):
    save_arrow(tmp_path / "alone", TRAIN, split=said)
    settings = {"train": f"{split}[:90%]", "validation": f"{split}[90%:]"}
    corpus = corpora.get("hf_dataset", folder=str(tmp_path / "alone"), **settings)
    assert texts_of(corpus) == [TRAIN[:45], TRAIN[45:]]


def save_parquet(folder, *names):
    """Files of one row each, which is the file's name."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        pq.write_table(table([name]), folder / name)
    return corpora.get("hf_dataset", folder=str(folder))


@pytest.mark.parametrize(
    ("train", "held_out", "test"),
    [
        ("train/a.parquet", "valid.parquet", "test/b.parquet"),
        ("train.parquet", "extra_validation.parquet", "my-test.parquet"),
        ("train0.parquet", "dev0.parquet", "eval0.parquet"),
        ("c4-train.00000-of-00001.parquet", "c4-val.parquet", "c4 test.parquet"),
        *[
            tuple(f"en-{split}-00000-of-00001.parquet" for split in splits)
            for splits in [("train", "validation", "test")]
        ],
        ("data/Training.parquet", "validation/part-0-of-1.parquet", "test.parquet"),
    ],
)
def test_splits_of_parquet_are_named_by_files_or_folders(
    train, held_out, test, tmp_path
):
    corpus = save_parquet(tmp_path, train, held_out, test)
    assert texts_of(corpus) == [[train], [held_out]]
    other = corpora.get("hf_dataset", folder=str(tmp_path), validation="test")
    assert texts_of(other)[1] == [test]


def test_a_split_of_its_own_is_no_other(tmp_path):
    save_parquet(tmp_path, *(f"{s}-0-of-1.parquet" for s in ("train_sft", "test_sft")))
    names = {"train": "train_sft", "validation": "test_sft"}
    corpus = corpora.get("hf_dataset", folder=str(tmp_path), **names)
    assert texts_of(corpus) == [
        ["train_sft-0-of-1.parquet"],
        ["test_sft-0-of-1.parquet"],
    ]


def test_parquet_that_names_no_split_is_all_for_training(tmp_path):
    save_parquet(tmp_path, "a.parquet", "b.parquet")
    parts = {"train": "train[:50%]", "validation": "train[50%:]"}
    corpus = corpora.get("hf_dataset", folder=str(tmp_path), **parts)
    assert texts_of(corpus) == [["a.parquet"], ["b.parquet"]]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train", "valid", "c"], r"/c.parquet is of no split: .* \(train.parquet\)"),
        (
            ["train-test", "valid"],
            r"/train-test.parquet names several .*: test, train;",
        ),
        (["train", "test/valid"], r"/test/valid.parquet names several splits: test, v"),
        (
            ["train-0-of-3", "train-2-of-3-ab", "valid"],
            r"holds 2 of the 3 files of 'train': number 1 is missing",
        ),
        (["train-0-of-99999999999", "valid"], r"number 1 is missing"),
        (["train", "valid", "c.PARQUET"], r"/c.PARQUET is of no split"),
        (["train-2-of-2", "valid"], r"number 1 is missing"),
        (
            ["train-0-of-2-ab", "train-0-of-2-cd", "train-1-of-2-ab", "valid"],
            r"holds 3 of the 2 files of 'train': number 0 is there twice",
        ),
    ],
)
def test_parquet_of_no_split_of_two_or_not_all_there_is_refused(
    names, message, tmp_path
):
    named = (name if "." in name else f"{name}.parquet" for name in names)
    corpus = save_parquet(tmp_path, *named)
    with pytest.raises(UsageError, match=message) as raised:
        corpus.check()
    assert "\n" not in str(raised.value)


def test_the_ending_of_parquet_may_be_in_any_case(tmp_path):
    corpus = save_parquet(tmp_path, "train.PARQUET", "valid.Parquet")
    assert texts_of(corpus) == [["train.PARQUET"], ["valid.Parquet"]]


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_what_is_not_read_is_named(kind, request, tmp_path):
    folder = request.getfixturevalue(kind)
    for name in ("README.md", ".gitattributes", "dataset_infos.json"):
        (folder / name).write_text("")
    corpus = corpora.get("hf_dataset", folder=str(folder))
    assert corpus.unread() == ""
    identity = corpus.identity()
    for name in ("x.csv", "y.csv", "test.parquet.gz", "cache-1.arrow", ".z.parquet"):
        (folder / name).write_text("")
    os.mkfifo(folder / "train.parquet")
    elsewhere = tmp_path / "elsewhere"
    save_parquet(elsewhere, "more.parquet")
    (folder / "linked").symlink_to(elsewhere)
    assert corpus.unread() == (
        "2 .csv, 1 .arrow, 1 .gz, 1 .parquet, 1 hidden, "
        "1 special (pipe, socket or device)"
    )
    assert corpus.identity() == identity
    assert texts_of(corpus) == [TRAIN, HELD_OUT]


def test_a_split_that_is_not_asked_for_is_named(arrow, parquet):
    parts = {"train": "train[:90%]", "validation": "train[90%:]"}
    for folder, told in (
        (arrow, "1 .arrow of the split 'validation'"),
        (parquet, "1 .parquet of the split 'validation'"),
    ):
        corpus = corpora.get("hf_dataset", folder=str(folder), **parts)
        assert corpus.unread() == told


def test_a_link_to_nothing_is_missing_data(tmp_path):
    corpus = save_parquet(tmp_path, "train-0-of-2.parquet", "valid.parquet")
    (tmp_path / "train-1-of-2.parquet").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match=r"train-1-of-2.parquet is damaged or no"):
        corpus.check()


def test_files_may_be_numbered_from_one_and_an_unread_split_may_lack_some(tmp_path):
    names = ["train-1-of-2", "train-2-of-2", "dev", "test-0-of-2"]
    corpus = save_parquet(tmp_path, *(f"{name}.parquet" for name in names))
    assert [len(texts) for texts in texts_of(corpus)] == [2, 1]


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_the_identity_is_that_of_the_content(kind, request, tmp_path):
    folder = request.getfixturevalue(kind)
    before = corpora.get("hf_dataset", folder=str(folder)).identity()
    moved = folder.rename(tmp_path / "moved")
    assert corpora.get("hf_dataset", folder=str(moved)).identity() == before
    (file,) = [*moved.rglob("dev-*.parquet"), *moved.glob("validation/*.arrow")]
    if kind == "arrow":
        (moved / "validation").rename(tmp_path / "old")
        save_arrow(moved / "validation", ["changed", *HELD_OUT[1:]], shards=1)
    else:
        pq.write_table(table(["changed", *HELD_OUT[1:]]), file)
    changed = corpora.get("hf_dataset", folder=str(moved))
    assert changed.identity() != before
    assert texts_of(changed)[1][0] == "changed"


def test_parquet_is_copied_once(parquet, monkeypatch):
    corpus = corpora.get("hf_dataset", folder=str(parquet))
    texts_of(corpus)
    from sightline.tasks.corpora import _hf_files

    def refuse(*_):
        raise AssertionError("it is read again")

    monkeypatch.setattr(_hf_files, "_parquet_texts", refuse)
    assert texts_of(corpora.get("hf_dataset", folder=str(parquet))) == [TRAIN, HELD_OUT]


def test_parquet_that_changes_while_it_is_copied_is_not_kept(
    parquet, data_dir, monkeypatch
):
    from sightline.tasks.corpora import _hf_files

    (file,) = parquet.rglob("dev-*.parquet")
    original, read = file.read_bytes(), _hf_files._parquet_texts

    def while_it_is_written(files, column):
        pq.write_table(table(["of a writer"]), file)
        return read(files, column)

    pq.write_table(table(["never seen"]), file)  # or an older test has copied it
    corpus = corpora.get("hf_dataset", folder=str(parquet))
    before = set((data_dir / "hf_dataset").glob("*"))
    monkeypatch.setattr(_hf_files, "_parquet_texts", while_it_is_written)
    with pytest.raises(UsageError, match=f"{parquet} changed while it was read; run"):
        corpus.documents("validation")
    assert set((data_dir / "hf_dataset").glob("*")) == before
    monkeypatch.setattr(_hf_files, "_parquet_texts", read)
    file.write_bytes(original)
    assert texts_of(corpus)[1] == HELD_OUT


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_columns_are_named_where_one_is_wrong(kind, request):
    folder = str(request.getfixturevalue(kind))
    with pytest.raises(UsageError, match=r"no column 'body'; valid: text. Set hf_data"):
        corpora.get("hf_dataset", folder=folder, column="body").check()
    with pytest.raises(UsageError, match=r"'n' of .* is of type int64, not of text"):
        corpora.get("hf_dataset", folder=folder, column="n").check()
    with pytest.raises(UsageError, match=r"no split 'test'; valid: train, validation"):
        corpora.get("hf_dataset", folder=folder, validation="test").check()


def test_folders_that_hold_no_data_set_are_refused(tmp_path):
    def message(folder):
        with pytest.raises(UsageError) as raised:
            corpora.get("hf_dataset", folder=str(folder)).check()
        assert "\n" not in str(raised.value)
        return str(raised.value)

    assert "hf_dataset.folder is not set" in message("")
    assert "does not exist" in message(tmp_path / "nowhere")
    assert "holds no Hugging Face data set" in message(tmp_path)
    save_arrow(tmp_path / "torn", TRAIN)
    next((tmp_path / "torn").glob("*.arrow")).unlink()
    assert "data-00000-of-00002.arrow is missing" in message(tmp_path / "torn")
    (tmp_path / "torn" / "state.json").write_text("{")
    assert "state.json is damaged" in message(tmp_path / "torn")


@pytest.mark.parametrize("content", ["{}", "[]", '{"splits": 3, "_data_files": [{}]}'])
@pytest.mark.parametrize("name", ["dataset_dict.json", "train/state.json"])
def test_json_that_lacks_what_is_needed_is_damaged(name, content, arrow):
    (arrow / name).write_text(content)
    with pytest.raises(
        UsageError, match=rf"{name} is damaged \(.*copy or save"
    ) as said:
        corpora.get("hf_dataset", folder=str(arrow)).check()
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_two_columns_of_the_name_are_refused(kind, request):
    folder = request.getfixturevalue(kind)
    twice = pa.table([["a"], ["b"]], names=["text", "text"])
    for file in folder.rglob(f"*.{kind}"):
        if kind == "parquet":
            pq.write_table(twice, file)
        else:
            with pa.OSFile(str(file), "wb") as sink:
                with pa.ipc.new_stream(sink, twice.schema) as stream:
                    stream.write_table(twice)
    with pytest.raises(UsageError, match="has 2 columns 'text'; rename all but one"):
        corpora.get("hf_dataset", folder=str(folder)).check()


def test_a_column_is_told_from_a_field_of_a_struct(tmp_path):
    nested = pa.table({"doc": [{"text": "of the struct"}], "doc.text": ["a column"]})
    for split in ("train", "test"):
        pq.write_table(nested, tmp_path / f"{split}.parquet")
    settings = {"column": "doc.text", "validation": "test"}
    corpus = corpora.get("hf_dataset", folder=str(tmp_path), **settings)
    assert texts_of(corpus) == [["a column"], ["a column"]]


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_damage_is_one_line(kind, request):
    folder = request.getfixturevalue(kind)
    file = next(folder.rglob(f"*.{kind}"))
    os.truncate(file, 40)
    with pytest.raises(UsageError, match=r"is damaged or no Arrow or Parquet file"):
        corpora.get("hf_dataset", folder=str(folder)).documents("train")


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_rows_without_text_are_refused(kind, tmp_path):
    texts = ["a", None, "b"]
    if kind == "arrow":
        save_arrow(tmp_path / "nulls", texts, shards=1)
    else:
        (tmp_path / "nulls").mkdir()
        pq.write_table(table(texts), tmp_path / "nulls" / "train.parquet")
    corpus = corpora.get(
        "hf_dataset",
        folder=str(tmp_path / "nulls"),
        train="train[:50%]",
        validation="train[50%:]",
    )
    with pytest.raises(UsageError, match=r"no text in 1 of its rows \(null\)"):
        corpus.documents("train")


def test_it_needs_no_tensorflow(arrow, parquet):
    code = f"""
import sys
from sightline.tasks import corpora
for folder in {[str(arrow), str(parquet)]}:
    corpus = corpora.get("hf_dataset", folder=folder)
    assert len(corpus.documents("train")) == 50
heavy = {{"tensorflow", "tensorflow_datasets", "seqio", "datasets", "jax"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_text_that_is_not_utf_8_is_refused_with_file_and_row(kind, tmp_path):
    texts = [f"document {n}" for n in range(2000)]
    texts[1500] = "in CAFE"
    folder = tmp_path / "latin"
    if kind == "arrow":
        save_arrow(folder, texts, shards=1)
    else:
        folder.mkdir()
        plain = {"compression": "none", "use_dictionary": False}
        pq.write_table(table(texts), folder / "train.parquet", **plain)
    (file,) = folder.glob(f"*.{kind}")
    file.write_bytes(file.read_bytes().replace(b"in CAFE", b"in CAF\xc9"))
    corpus = corpora.get(
        "hf_dataset",
        folder=str(folder),
        train="train[:90%]",
        validation="train[90%:]",
    )
    with pytest.raises(UsageError, match=rf"row 1,500 .*{kind} is not UTF-8.* is 0xc9"):
        list(corpus.documents("train"))

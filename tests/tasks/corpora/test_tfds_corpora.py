"""`c4` and `wikipedia`, on tiny datasets prepared by TFDS under their names."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core import registered

from sightline.tasks import corpora

SIZES = {
    "c4": {"train": 30, "validation": 7},
    "wikipedia": {"train": 200},
}
NAMES = ("c4", "wikipedia")


def text(split, number):
    return f"{split} {number}: naïve café\n\nsecond paragraph"


def prepare(corpus, root, file_format, sizes=None):
    """Prepares what stands for a corpus; keys are of the documents' texts."""
    sizes = sizes or SIZES[corpus.name]
    config = tfds.core.BuilderConfig(
        name=corpus.config, version=corpus.version, description="Made for a test."
    )

    def info(builder):
        features = {"text": tfds.features.Text(), "title": tfds.features.Text()}
        return tfds.core.DatasetInfo(
            builder=builder, features=tfds.features.FeaturesDict(features)
        )

    def examples(split):
        for number in range(sizes[split]):
            yield number, {"text": text(split, number), "title": "title"}

    members = {
        "BUILDER_CONFIGS": [config],
        "url_infos": {},
        "_info": info,
        "_split_generators": lambda self, _: {s: examples(s) for s in sizes},
        "_generate_examples": lambda self: None,
    }
    with registered.skip_registration():  # the real one has the name
        name = {"c4": "C4", "wikipedia": "Wikipedia"}[corpus.name]
        made = type(name, (tfds.core.GeneratorBasedBuilder,), members)
    made(data_dir=root).download_and_prepare(file_format=file_format)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("tfds")
    for name in NAMES:
        prepare(corpora.get(name), root, "array_record")
    return str(root)


@pytest.fixture
def no_default(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))
    return tmp_path / "default"


def test_c4_reads_what_tfds_prepared(prepared):
    corpus = corpora.get("c4", data_dir=prepared)
    corpus.check()
    for split, size in SIZES["c4"].items():
        documents = corpus.documents(split)
        assert sorted(documents) == sorted(text(split, n) for n in range(size))
        assert documents[3] == list(documents)[3]


def test_wikipedia_holds_out_the_last_percent(prepared):
    corpus = corpora.get("wikipedia", data_dir=prepared)
    corpus.check()
    parts = [list(corpus.documents(split)) for split in corpus.splits]
    assert [len(part) for part in parts] == [198, 2]
    assert sorted([*parts[0], *parts[1]]) == sorted(
        text("train", n) for n in range(200)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_default_folder_is_that_of_tfds(name, prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", prepared)
    corpus = corpora.get(name)
    corpus.check()
    assert len(corpus.documents("train")) == len(
        corpora.get(name, data_dir=prepared).documents("train")
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("use", ["check", "documents"])
def test_a_missing_dataset_is_an_error_with_the_command(name, use, no_default):
    corpus = corpora.get(name)
    with pytest.raises(ValueError) as raised:
        corpus.check() if use == "check" else corpus.documents("train")
    message = str(raised.value)
    wanted = f"{name}/{corpus.config}:{corpus.version}"
    assert f"{wanted} is not prepared" in message
    folder = no_default / name / corpus.config / corpus.version
    assert f"there is no {folder / 'dataset_info.json'}" in message
    assert message.endswith(
        f"tfds build {wanted} --file_format=array_record --data_dir={no_default}"
    )
    assert not no_default.exists()  # nothing is downloaded or made


def test_a_missing_version_is_an_error_that_names_those_there(prepared):
    corpus = corpora.get("c4", data_dir=prepared, version="3.0.1")
    with pytest.raises(
        ValueError, match=r"Prepared there: c4/en:3\.1\.0\. .*c4\.data_dir"
    ):
        corpus.check()


@pytest.mark.parametrize("name", NAMES)
def test_tfrecord_files_are_an_error_with_the_conversion(name, tmp_path):
    corpus = corpora.get(name, data_dir=str(tmp_path))
    prepare(corpus, tmp_path, "tfrecord")
    folder = tmp_path / name / corpus.config / corpus.version
    command = f"convert_format --dataset_version_dir={folder} --out_file_format="
    for use in (corpus.check, lambda: corpus.documents("train")):
        with pytest.raises(ValueError, match="prepared as tfrecord") as raised:
            use()
        assert command in str(raised.value)


def test_array_record_files_beside_tfrecord_files_are_read(tmp_path):
    corpus = corpora.get("wikipedia", data_dir=str(tmp_path))
    prepare(corpus, tmp_path, "array_record")
    info = next(tmp_path.glob("wikipedia/*/*/dataset_info.json"))
    # As `tfds convert_format` leaves it.
    said = json.loads(info.read_text())
    said |= {"fileFormat": "tfrecord", "alternativeFileFormats": ["array_record"]}
    info.write_text(json.dumps(said))
    corpus.check()
    assert len(corpus.documents("validation")) == 2


def test_a_config_without_the_splits_is_an_error(tmp_path):
    corpus = corpora.get("c4", data_dir=str(tmp_path), config="multilingual")
    prepare(corpus, tmp_path, "array_record", {"en": 3, "en-validation": 1})
    with pytest.raises(ValueError, match=r"no split 'train'; it has: en, en-val.* Set"):
        corpus.check()


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_split_is_an_error(name, prepared):
    corpus = corpora.get(name, data_dir=prepared)
    with pytest.raises(ValueError, match="no split 'test'"):
        corpus.documents("test")


@pytest.mark.parametrize("name", NAMES)
def test_documents_are_a_sequence(name, prepared):
    """Random access, slices, iteration and length agree, in any order of reading."""
    documents = corpora.get(name, data_dir=prepared).documents("train")
    every = list(documents)
    order = np.random.default_rng(0).permutation(len(documents))
    assert [documents[int(n)] for n in order] == [every[n] for n in order]
    assert [documents[n] for n in range(3)] == list(itertools.islice(documents, 3))
    for outside in (len(every), -len(every) - 1):
        with pytest.raises(IndexError):
            documents[outside]


@pytest.mark.parametrize("size", [99, 101, 250])
def test_the_slices_of_wikipedia_partition_a_dump_of_any_size(size, tmp_path):
    corpus = corpora.get("wikipedia", data_dir=str(tmp_path))
    prepare(corpus, tmp_path, "array_record", {"train": size})
    train, held_out = (list(corpus.documents(split)) for split in corpus.splits)
    assert sorted([*train, *held_out]) == sorted(text("train", n) for n in range(size))
    assert abs(len(held_out) - size / 100) <= 0.5


def test_one_article_leaves_an_empty_split(tmp_path):
    corpus = corpora.get("wikipedia", data_dir=str(tmp_path))
    prepare(corpus, tmp_path, "array_record", {"train": 1})
    assert list(corpus.documents("train")) == [text("train", 0)]
    with pytest.raises(corpora.EmptySplitError, match="no documents in the split"):
        corpus.documents("validation")


@pytest.mark.parametrize("name", NAMES)
def test_the_identity_names_the_dataset_and_no_folder(name, prepared):
    """A copy elsewhere is the same corpus; another version or config is not."""
    corpus = corpora.get(name, data_dir=prepared)
    assert corpus.identity() == corpora.get(name, data_dir="/elsewhere").identity()
    assert prepared not in corpus.identity()
    others = [corpora.get(name, version="9.9.9"), corpora.get(name, config="other")]
    assert len({c.identity() for c in (corpus, *others)}) == 3


def test_a_check_imports_nothing_heavy(prepared):
    code = f"""
import sys
from sightline.tasks import corpora
for name in {NAMES}:
    corpora.get(name, data_dir={prepared!r}).check()
    corpora.get(name, data_dir="gs://bucket/tfds").check()
corpora.get("text")
heavy = {{"tensorflow", "tensorflow_datasets", "array_record", "jax", "rich"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""Any text data set of TFDS by name, on small builds by TFDS's real builders."""

import json

import pytest
from real_tfds import prepare

from sightline.objectives.errors import UsageError
from sightline.tasks import corpora
from sightline.tasks.corpora._records import Records

TEXTS = {
    split: [f"{split} {n}: naïve café" for n in range(size)]
    for split, size in (("train", 40), ("validation", 5), ("test", 7))
}


def some(*splits):
    return {split: TEXTS[split] for split in splits}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    prepare(folder, "c4/en:3.1.0", some("train", "validation"))
    prepare(folder, "wikipedia/20230601.en:1.0.0", {"train": TEXTS["train"] * 4})
    prepare(folder, "lm1b:1.1.0", some("train", "test"))
    news = some("train", "test")
    prepare(folder, "ag_news_subset:1.0.0", news, feature="description")
    return str(folder)


def texts_of(corpus):
    corpus.check()
    return [sorted(corpus.documents(split)) for split in corpus.splits]


def test_c4_and_wikipedia_of_their_real_builders(root):
    c4 = corpora.get("c4", data_dir=root)
    assert texts_of(c4) == [sorted(TEXTS["train"]), sorted(TEXTS["validation"])]
    wikipedia = corpora.get("wikipedia", data_dir=root)
    train, held_out = texts_of(wikipedia)
    assert sorted(train + held_out) == sorted(TEXTS["train"] * 4)
    assert len(held_out) == 2


@pytest.mark.parametrize("name", ["lm1b:1.1.0", "lm1b"])
def test_any_data_set_by_name(name, root):
    corpus = corpora.get("tfds", name=name, validation="test", data_dir=root)
    assert texts_of(corpus) == [sorted(TEXTS["train"]), sorted(TEXTS["test"])]


def test_the_same_as_the_corpus_of_its_own(root):
    corpus = corpora.get("tfds", name="c4/en:3.1.0", data_dir=root)
    own = corpora.get("c4", data_dir=root)
    for split in corpus.splits:
        assert list(corpus.documents(split)) == list(own.documents(split))


def test_a_feature_and_parts_of_a_split(root):
    settings = {"train": "train[:90%]", "validation": "train[90%:]"}
    corpus = corpora.get(
        "tfds", name="ag_news_subset", feature="description", data_dir=root, **settings
    )
    train, held_out = texts_of(corpus)
    assert (len(train), len(held_out)) == (36, 4)
    assert sorted(train + held_out) == sorted(TEXTS["train"])


def test_the_identity_is_the_version_and_what_tfds_counted(root, tmp_path):
    corpus = corpora.get("tfds", name="lm1b", validation="test", data_dir=root)
    prepare(tmp_path, "lm1b:1.1.0", some("train", "test"))
    copy = corpora.get("tfds", name="lm1b", validation="test", data_dir=str(tmp_path))
    assert corpus.identity() == copy.identity()
    assert corpus.identity().startswith("lm1b:1.1.0 ")
    info = next(tmp_path.glob("lm1b/*/dataset_info.json"))
    content = json.loads(info.read_text())
    content["splits"][0]["shardLengths"][0] = "17"
    info.write_text(json.dumps(content))
    assert corpus.identity() != copy.identity()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"tfds.name is not set"),
        ({"name": "lm1b"}, r"no split 'validation'; valid: test, train. Set tfds.vali"),
        (
            {"name": "lm1b:2.0.0"},
            r"lm1b:2.0.0 is not prepared: .* Prepared there: lm1b:1.1.0\. .* set "
            r"tfds.data_dir .*'tensorflow-datasets\[lm1b\]' .* tfds build lm1b:2.0.0 ",
        ),
        ({"name": "c4"}, r"not exactly one .* Prepared there: c4/en:3.1.0\. Give one"),
        ({"name": "imdb"}, r"not exactly one is prepared in .* there: nothing\."),
        (
            {"name": "lm1b", "validation": "test", "feature": "txt"},
            r"no feature 'txt'; set tfds.feature. Of text: text.",
        ),
        (
            {"name": "ag_news_subset", "validation": "test", "feature": "label"},
            r"'label' of .* is of the class ClassLabel, not Text; .*description, title",
        ),
    ],
)
def test_what_is_wrong_is_one_line(settings, message, root):
    with pytest.raises(UsageError, match=message) as raised:
        corpora.get("tfds", data_dir=root, **settings).check()
    assert "\n" not in str(raised.value)


def damaged(root, how):
    folder = root / "lm1b" / "1.1.0"
    if how == "shard":
        next(folder.glob("*train*1*")).unlink()
    elif how.endswith("cut"):
        file = folder / how.split()[0]
        file.write_text(file.read_text()[:9])
    else:
        (folder / how).unlink()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("shard", r"lacks lm1b-train.array_record-00001\S*, one of 3 files of 'train'"),
        ("features.json cut", r"features.json is damaged \(.*\)"),
        ("features.json", r"features.json is missing"),
        ("dataset_info.json cut", r"dataset_info.json is damaged \(.*\)"),
    ],
)
def test_damage_is_one_line_with_the_command_before_anything_is_read(
    how, message, tmp_path
):
    prepare(tmp_path, "lm1b:1.1.0", some("train", "test"))
    damaged(tmp_path, how)
    corpus = corpora.get("tfds", name="lm1b", validation="test", data_dir=str(tmp_path))
    command = r"; copy it again .* tfds build lm1b:1.1.0 --file_format=array_record"
    with pytest.raises(UsageError, match=message + command) as raised:
        corpus.check()
    assert "\n" not in str(raised.value)


def test_files_of_a_split_that_is_not_read_may_be_missing(tmp_path):
    prepare(tmp_path, "lm1b:1.1.0", some("train", "test"))
    next((tmp_path / "lm1b" / "1.1.0").glob("*test*")).unlink()
    parts = {"train": "train[:90%]", "validation": "train[90%:]"}
    corpora.get("tfds", name="lm1b", data_dir=str(tmp_path), **parts).check()


class Torn(list):
    """A data source that cannot be read."""

    def __getitem__(self, index):
        raise RuntimeError("a checksum differs")


def test_a_damaged_record_is_told_from_a_text_that_is_not_utf_8():
    source = [{"body": b"caf\xc3\xa9"}, {"body": b"caf\xe9"}]
    records = Records(lambda: source, "there", feature="body", cure="cure it.")
    assert records[0] == "café"
    message = r"document 1 .* of there .* 'body': byte 4 of the text is 0xe9; re-encode"
    with pytest.raises(UsageError, match=message):
        records[1]
    torn = Records(lambda: Torn(source), "there", feature="body", cure="cure it.")
    with pytest.raises(
        UsageError, match=r"there is damaged \(a checksum .*\); cure it"
    ):
        torn[0]

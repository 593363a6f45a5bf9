"""Any text data set of TFDS by name, on small builds by TFDS's real builders."""

import json

import pytest
from real_tfds import prepare

from sightline.objectives.errors import UsageError
from sightline.tasks import corpora

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
        ({"name": "lm1b:2.0.0"}, r"lm1b:2.0.0 is not prepared"),
        ({"name": "imdb"}, r"not exactly one is prepared in .* Prepared: none"),
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

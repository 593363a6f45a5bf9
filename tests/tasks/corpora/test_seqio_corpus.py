"""SeqIO Tasks as corpora: which text they give, and what is refused."""

import functools
import itertools

import pytest
import seqio
import tensorflow as tf

from sightline.objectives.errors import UsageError
from sightline.tasks import corpora, user_modules
from sightline.tasks.examples.mixture import Mixture

TEXTS = {
    "train": [f"training text {n}: naïve café" for n in range(40)],
    "validation": ["held out one", "held out two"],
}
BYTES = seqio.ByteVocabulary()
reads: list[str] = []


class Lossy(seqio.ByteVocabulary):
    """Keeps three bytes of a text, so that its ids do not give the text back."""

    def _encode_tf(self, s):
        return super()._encode_tf(tf.strings.substr(s, 0, 3))


LOSSY = {"targets": seqio.Feature(Lossy())}


def source(texts=TEXTS, feature="text"):
    def dataset(split, shuffle_files=False, seed=None):
        reads.append(split)
        return tf.data.Dataset.from_tensor_slices({feature: texts[split]})

    return seqio.FunctionDataSource(dataset, splits=list(texts))


def add(name, preprocessors, *, where=None, features=None, **kwargs):
    if name not in seqio.TaskRegistry.names():
        seqio.TaskRegistry.add(
            name,
            source=where or source(),
            preprocessors=preprocessors,
            output_features=features or {"targets": seqio.Feature(BYTES)},
            **kwargs,
        )
    return corpora.get("seqio", task=name)


def upper(dataset):
    return dataset.map(lambda x: {**x, "text": tf.strings.upper(x["text"])})


to_targets = functools.partial(
    seqio.preprocessors.rekey, key_map={"targets": "text", "label": "text"}
)


def texts_of(corpus):
    return {split: list(corpus.documents(split)) for split in corpus.splits}


def test_the_text_is_that_before_the_first_step_that_tokenises():
    steps = [upper, to_targets, seqio.preprocessors.tokenize]
    steps.append(seqio.preprocessors.append_eos)
    corpus = add("c_before", steps, features=LOSSY)
    corpus.check()
    wanted = {split: [t.upper() for t in texts] for split, texts in TEXTS.items()}
    # SeqIO's upper case leaves letters beyond ASCII alone.
    got = texts_of(corpus)
    assert len(got["train"]) == 40
    assert [t.upper() for t in got["train"]] == wanted["train"]
    assert got["validation"] == wanted["validation"]


def test_a_partial_step_and_the_placeholder_of_a_cache_are_known():
    tokenise = functools.partial(seqio.preprocessors.tokenize, with_eos=True)
    steps = [to_targets, tokenise, seqio.CacheDatasetPlaceholder()]
    assert texts_of(add("c_partial", steps, features=LOSSY)) == TEXTS


def test_of_targets_and_text_the_targets_are_read_unless_told():
    def both(dataset):
        return dataset.map(lambda x: {"targets": x["text"], "text": "other"})

    corpus = add("c_both", [both, seqio.preprocessors.tokenize])
    assert texts_of(corpus) == TEXTS
    other = corpora.get("seqio", task="c_both", feature="text")
    assert set(other.documents("train")) == {"other"}
    assert other.identity() != corpus.identity()


def test_ids_of_a_task_that_tokenises_by_itself_are_decoded():
    def encode(dataset):
        return dataset.map(lambda x: {"targets": BYTES.encode_tf(x["text"])})

    assert texts_of(add("c_decoded", [encode])) == TEXTS


def test_what_is_no_text_is_refused():
    def numbers(dataset):
        return dataset.map(lambda x: {"targets": tf.constant([1.0])})

    def ids(dataset):
        return dataset.map(lambda x: {"targets": tf.constant([1, 2])})

    corpus = add("c_numbers", [numbers])
    with pytest.raises(UsageError, match=r"'targets' of .* is float32 of shape \(1,\)"):
        corpus.documents("train")
    passing = {"targets": seqio.Feature(seqio.PassThroughVocabulary(9))}
    corpus = add("c_ids", [ids], features=passing)
    with pytest.raises(UsageError, match="no text: it is int32 of shape"):
        corpus.documents("train")
    corpus = add("c_other", [], where=source(feature="body"))
    with pytest.raises(UsageError, match=r"'targets' or 'text' .* valid: body"):
        corpus.documents("train")


def files(name, **patterns):
    """A corpus of TFRecord files whose records are its texts."""

    def texts(dataset):
        return dataset.map(lambda record: {"text": record})

    where = seqio.FileDataSource(tf.data.TFRecordDataset, patterns)
    return add(name, [texts], where=where)


def test_files_that_are_missing_or_damaged_are_one_line(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "train-0")) as writer:
        writer.write(b"a text")
    held_out = {"validation": str(tmp_path / "train-*"), "unread": "nowhere-*"}
    pattern = str(tmp_path / "trian-*")
    with pytest.raises(UsageError, match="'c_none' has no files in the split 'train'"):
        files("c_none", train=pattern, **held_out).identity()
    name = str(tmp_path / "train-1")
    with pytest.raises(UsageError, match=f"'c_gone' reads {name} .* does not exist"):
        files("c_gone", train=name, **held_out).identity()
    corpus = files("c_torn", train=str(tmp_path / "train-*"), **held_out)
    data = (tmp_path / "train-0").read_bytes()
    (tmp_path / "train-0").write_bytes(data.replace(b"a text", b"b text"))
    with pytest.raises(
        UsageError, match=r"'c_torn' .* 'train' are damaged .*corrupted"
    ):
        corpus.identity()
    (tmp_path / "train-0").write_bytes(data)
    assert texts_of(corpus) == {"train": ["a text"], "validation": ["a text"]}


def test_blank_examples_are_named():
    some = {"train": ["one", "", " ", "two"], "validation": ["three"]}
    corpus = add("c_blank", [to_targets], where=source(some))
    assert corpus.unread() == "2 blank examples of 'train'"
    assert texts_of(corpus) == {"train": ["one", "two"], "validation": ["three"]}
    assert corpora.not_read(corpus).startswith("seqio: not read, beside its docum")


def test_unknown_tasks_splits_and_mixtures_are_refused():
    add("c_known", [to_targets])
    with pytest.raises(UsageError, match=r"'c_knwn'; did you mean 'c_known'.*--import"):
        corpora.get("seqio", task="c_knwn").check()
    with pytest.raises(UsageError, match=r"seqio\.task is not set"):
        corpora.get("seqio").check()
    corpus = corpora.get("seqio", task="c_known", validation="test")
    with pytest.raises(UsageError, match=r"no split 'test'; valid: train, validation"):
        corpus.check()
    if "c_mixture" not in seqio.MixtureRegistry.names():
        seqio.MixtureRegistry.add("c_mixture", ["c_known"], default_rate=1.0)
    with pytest.raises(UsageError, match="is a SeqIO mixture; name one of its Tasks"):
        corpora.get("seqio", task="c_mixture").check()


def test_parts_of_one_split_do_not_overlap():
    add("c_parts", [to_targets])
    corpus = corpora.get(
        "seqio", task="c_parts", train="train[:90%]", validation="train[90%:]"
    )
    got = texts_of(corpus)
    assert [len(got[split]) for split in corpus.splits] == [36, 4]
    assert got["train"] + got["validation"] == TEXTS["train"]
    with pytest.raises(UsageError, match="share documents"):
        corpora.get("seqio", task="c_parts", validation="train[90%:]")
    with pytest.raises(UsageError, match=r"seqio.train is 'train\[a\]'; write"):
        corpora.get("seqio", task="c_parts", train="train[a]")
    with pytest.raises(UsageError, match=r"train\[5:50%\]"):
        corpora.get("seqio", task="c_parts", train="train[5:50%]")


def test_texts_are_read_once_until_the_module_changes(monkeypatch):
    corpus = add("c_once", [to_targets])
    before = corpus.identity()
    count = len(reads)
    assert list(corpora.get("seqio", task="c_once").documents("train"))
    assert len(reads) == count
    monkeypatch.setattr(user_modules, "digest", lambda: "another")
    assert corpus.identity() == before  # the content is the same
    assert len(reads) == count + 2  # both splits


def test_texts_are_not_kept_if_the_source_changes_meanwhile(monkeypatch, data_dir):
    corpus = add("c_changing", [to_targets])
    digests = itertools.count()
    monkeypatch.setattr(user_modules, "digest", lambda: f"digest {next(digests)}")
    before = set((data_dir / "seqio").glob("*"))
    with pytest.raises(UsageError, match="'c_changing', or what it reads, changed whi"):
        corpus.documents("train")
    assert set((data_dir / "seqio").glob("*")) == before


def test_other_text_is_another_identity():
    other = {**TEXTS, "train": [*TEXTS["train"][:-1], "changed"]}
    corpus, changed = (
        add(name, [to_targets], where=source(texts))
        for name, texts in (("c_one", TEXTS), ("c_two", other))
    )
    assert corpus.identity() != changed.identity()
    assert add("c_once", [to_targets]).identity() == corpus.identity()


def test_variants_are_corpora_of_their_own():
    add("c_first", [to_targets])
    add("c_second", [to_targets, seqio.preprocessors.tokenize])
    settings = {"seqio": {"task": "c_first"}, "laws/seqio": {"task": "c_second"}}
    rates = {"seqio.causal": 1, "laws/seqio.masked": 2}
    mixture = Mixture("m", rates, vocabulary="bytes", settings=settings)
    assert mixture.corpus("laws/seqio").name == "laws/seqio"
    assert mixture.corpus("laws/seqio").task == "c_second"
    assert set(mixture.identities()) >= {"corpus seqio", "corpus laws/seqio"}
    with pytest.raises(UsageError, match=r"variant 'b/seqio' of a corpus has no sett"):
        Mixture("m", {"b/seqio.causal": 1}, vocabulary="bytes", settings=settings)

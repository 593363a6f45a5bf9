import io
import json

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, strategies as st

from sightline.objectives.errors import UsageError
from sightline.tasks.corpora._policies import values
from sightline.tasks.tokens.train_vocabulary import cut, main, read, train_vocabulary
from sightline.tasks.tokens.vocabulary import _SHIPPED as SHIPPED, names, vocabulary

LITERALS = (
    "<pad> </s> <s> <unk> <bos> <eos> <mask> <sep> <extra_id_0> <sentinel_0> [MASK] "
    "<label_0> <mode_R> [S2S] <0x0A>"
)
TEXT = (
    "Return 2.50 € — naïve “café” 東京.\n\nSecond  paragraph,\ttab.\nLine. " + LITERALS
)
SENTENCES = [f"word{n} and some other words, {n} of them." for n in range(300)]


def every_reserved_id(special) -> list[int]:
    return [
        special.pad,
        special.bos,
        special.eos,
        special.mask,
        special.sep,
        *special.labels,
        *special.modes,
        *special.fill,
        *special.sentinels,
    ]


@pytest.fixture(params=["python_docs", "policies", "bytes"])
def shipped(request):
    return vocabulary(request.param)


def test_reserved_ids_are_distinct_and_no_text_holds_them(shipped):
    special = shipped.special_ids
    reserved = every_reserved_id(special)
    assert len(set(reserved)) == len(reserved) == 13 + 100
    assert not set(reserved) & set(special.text.tolist())
    assert special.sentinels == tuple(range(shipped.size - 1, shipped.size - 101, -1))
    assert shipped.size % 128 == 0
    assert set(shipped.encode(TEXT).tolist()) <= set(special.text.tolist())


def test_shipped_vocabularies_lose_nothing(shipped):
    assert shipped.decode(shipped.encode(TEXT)) == TEXT
    document = shipped.encode_document(TEXT)
    assert document[-1] == shipped.special_ids.eos
    assert document.dtype == np.int32


def test_decode_names_reserved_ids(shipped):
    special = shipped.special_ids
    ids = [
        *shipped.encode("One two"),
        special.mask,
        *shipped.encode(" three"),
        special.sentinels[7],
        special.modes[1],
        special.labels[1],
        special.eos,
    ]
    shown = shipped.decode(ids).replace("<mask>  three", "<mask> three")
    assert shown == "One two<mask> three<sentinel_7><mode_S><label_1><eos>"
    with pytest.raises(ValueError, match=f"id {shipped.size} is not in"):
        shipped.decode([shipped.size])


@pytest.mark.parametrize(
    "options",
    [
        {},  # SentencePiece's defaults: unk 0, bos 1, eos 2, no pad
        {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
        {"bos_id": -1, "eos_id": -1},
        {"user_defined_symbols": ["<mask>", "<extra_id_0>", "<pad>"]},
        {"byte_fallback": True, "vocab_size": 350},
    ],
    ids=["defaults", "t5", "none", "user symbols", "bytes"],
)
def test_a_model_of_ones_own(tmp_path, options):
    found = _train(tmp_path / "own.model", options)
    special = found.special_ids
    reserved = every_reserved_id(special)
    assert len(set(reserved)) == len(reserved)
    ids = set(found.encode(LITERALS + " word7 and words").tolist())
    assert not ids & set(reserved)
    assert ids <= set(special.text.tolist()) | {found.unk}


def _train(path, options):
    model = io.BytesIO()
    settings = {"vocab_size": 80, "hard_vocab_limit": False, "minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=model, **(settings | options)
    )
    path.write_bytes(model.getvalue())
    return vocabulary(str(path))


def test_an_eos_that_text_can_spell_is_not_used(tmp_path):
    found = _train(tmp_path / "own.model", {"user_defined_symbols": ["</s>"]})
    spelled = set(found.encode("one</s>two").tolist())
    assert found.special_ids.eos not in spelled


def test_errors_say_what_and_where(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'python_docs'"):
        vocabulary("pythn_docs")
    missing = str(tmp_path / "no.model")
    with pytest.raises(ValueError, match=r"no vocabulary file at .*no\.model"):
        vocabulary(missing)
    for name, content in (("empty", b""), ("text", b"not a model"), ("cut", None)):
        damaged = tmp_path / f"{name}.model"
        whole = train_vocabulary(SENTENCES, pieces=287) if content is None else b""
        damaged.write_bytes(
            content if content is not None else whole[: len(whole) // 2]
        )
        with pytest.raises(ValueError, match=f"{name}.model.* damaged"):
            vocabulary(str(damaged))


@pytest.mark.parametrize("spoilt", ["e296e7", "ffffff"])
def test_a_model_whose_pieces_are_no_text_is_damaged(tmp_path, spoilt):
    content = (SHIPPED / "policies.model").read_bytes()
    at = content.index("▁".encode())
    path = tmp_path / "own.model"
    path.write_bytes(content[:at] + bytes.fromhex(spoilt) + content[at + 3 :])
    with pytest.raises(UsageError, match=r"own.model.* damaged"):
        vocabulary(str(path))


def test_training_is_deterministic_and_the_digest_tells_models_apart(tmp_path):
    first, again = (train_vocabulary(SENTENCES, pieces=287) for _ in range(2))
    assert first == again
    digests = {vocabulary(name).digest for name in names()}
    assert len(digests) == len(names()) and all(len(d) == 64 for d in digests)


@pytest.mark.parametrize("name", ["python_docs", "policies", "bytes"])
def test_words_and_sentences_are_told_by_ids(name):
    words = vocabulary(name)
    special = words.special_ids
    ids = words.encode("It ends. Or (so it seems!) does it? At 2.5 it goes on.")
    starts = np.isin(ids, special.word_starts)
    assert starts.sum() == 13 - (name == "bytes")  # no space before the first word
    ends = np.isin(ids, special.sentence_ends)
    before_a_word = ends & np.append(starts[1:], True)
    assert before_a_word.sum() == 3  # `!)` is two pieces, and the first ends no word


def test_every_number_and_currency_of_policies_is_as_many_pieces():
    words = vocabulary("policies")

    def pieces(text: str) -> int:
        """Of a text within a sentence."""
        return words.encode(f"for {text}").size - words.encode("for").size

    written = {
        "retention": ["17 months", "seventeen years", "forty-one weeks"],
        "amount": ["EUR 17,000", "17,000 pounds"],
    }
    for kind, examples in written.items():
        drawn = [""]
        for part in values.parts(kind, values.MOST_NUMBERS):
            drawn = [f"{a} {b}".strip() for a in drawn for b in part]
        first = {pieces(values.write(kind, value, second=False)) for value in drawn}
        assert first == {pieces(examples[0])}
        second = {pieces(values.write(kind, value, second=True)) for value in drawn}
        assert second == set(map(pieces, examples[1:]))
    for number in (*range(11, 20), *range(20, 91, 10)):
        opening = words.encode(f"It ends. {values.spell(number).capitalize()} weeks")
        assert opening.size == words.encode("It ends. Eleven weeks").size


def test_a_large_corpus_is_read_in_part():
    settings = {"train_documents": 7}
    whole = list(read("policies", **settings))
    assert list(read("policies", every=3, **settings)) == whole[::3]
    first = len(whole[0])
    assert list(read("policies", first, 3, **settings)) == whole[:1]
    assert list(read("policies", first + 1, 3, **settings)) == whole[:4:3]


@given(
    document=st.text(st.sampled_from("aé東😀 \n"), max_size=60),
    longest=st.integers(4, 20),
)
def test_a_long_document_is_cut_and_not_dropped(document, longest):
    parts = list(cut(document, longest))
    assert "".join(parts) == document
    assert all(len(part.encode()) <= longest for part in parts)
    if len(document.encode()) <= longest:
        assert parts == [document]


def test_the_trainer_gets_all_of_a_document_longer_than_it_takes(monkeypatch):
    given_texts = []

    def train(*, sentence_iterator, max_sentence_length, **_):
        given_texts.extend(sentence_iterator)
        assert all(len(t.encode()) <= max_sentence_length for t in given_texts)

    monkeypatch.setattr(sentencepiece.SentencePieceTrainer, "train", train)
    document = "Some words é. " * 100_000
    train_vocabulary(["short", document])
    assert "".join(given_texts) == "short" + document


def test_a_document_is_cut_before_paragraphs_lines_or_words():
    assert list(cut("One a.\nTwo b.\n\nThree c.", 18)) == [
        "One a.\nTwo b.",
        "\n\nThree c.",
    ]
    assert list(cut("One a.\nTwo b.", 10)) == ["One a.", "\nTwo b."]
    assert list(cut("One two", 5)) == ["One", " two"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none/x.model", "policies=9"], "there is no folder"),
        ([".", "policies=9"], "it is a folder"),
        (["x.model", "english=abc"], "reads 'abc' characters of english"),
        (["x.model", "policies=0"], "reads '0' characters of policies"),
        (["x.model", "polices"], "did you mean 'policies'"),
        (["x.model", "policies", "--every=0"], "--every is 0"),
        (["x.model", "policies", "--settings=5"], "--settings is '5'"),
        (["x.model", "policies", "--settings={"], "--settings is '{'"),
        (["x.model", "policies=9", "--pieces=9"], "no vocabulary of 9 pieces"),
    ],
)
def test_mistakes_of_the_trainer_are_one_message(
    tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_trainer_names_what_it_does_not_read(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text(
        "\n".join(json.dumps({"text": text}) for text in SENTENCES)
    )
    (tmp_path / "in" / "b.pdf").write_text("")
    settings = json.dumps({"folder": str(tmp_path / "in")})
    words = [str(tmp_path / "x.model"), "text", "--pieces=287"]
    assert main([*words, f"--settings={settings}"]) == 0
    told = capsys.readouterr().err
    assert "text: not read, beside its documents: 1 .pdf." in told

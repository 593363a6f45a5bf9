"""A `tokenizer.json` of each kind, as a base tokeniser; Llama 3's kind, imported, is
tested in `launch/interchange`."""

import json

import pytest
from hypothesis import given, strategies as st

from sightline.objectives.errors import UsageError
from sightline.tasks.tokens.tokenizer_json import byte_letters, tokenizer_json_tokeniser

tokenizers = pytest.importorskip("tokenizers")
models, decoders = tokenizers.models, tokenizers.decoders
pre = tokenizers.pre_tokenizers


def read(folder, tokenizer):
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return tokenizer_json_tokeniser(path)


def words(vocab):
    """A tokeniser of whole words, whose ids may have gaps."""
    found = tokenizers.Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    found.pre_tokenizer = pre.WhitespaceSplit()
    return found


def test_pieces_of_sentencepiece_s_kind_are_spelt_with_their_spaces(tmp_path):
    pieces = ["<unk>", "▁", "a", "▁b", "<0x0A>", "<0xE6>", "ü"]
    unigram = models.Unigram([(p, -1.0) for p in pieces], unk_id=0, byte_fallback=True)
    tokenizer = tokenizers.Tokenizer(unigram)
    tokenizer.pre_tokenizer = pre.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace()]
    )
    base = read(tmp_path, tokenizer)
    assert (base.size, base.unk, list(base.text_ids)) == (7, 0, [1, 2, 3, 4, 5, 6])
    assert [base.spell(id_) for id_ in base.text_ids] == [" ", "a", " b", "\n", "", "ü"]
    first = [base.first_byte(id_) for id_ in base.text_ids]
    assert first == [0x20, 0x61, 0x20, 0x0A, 0xE6, 0xC3]
    assert base.encode("a ba\n") == [1, 2, 3, 2, 4]
    # A space is left out where the text begins, and kept where other text precedes.
    assert base.decode([3, 2], False) == "ba" and base.decode([3, 2], True) == " ba"
    assert base.decode([2, 3], True) == "a b"


def test_ids_may_have_gaps_that_spell_nothing(tmp_path):
    base = read(tmp_path, words({"a": 0, "[UNK]": 1, "b": 3}))
    assert (base.size, base.unk, list(base.text_ids)) == (4, 1, [0, 3])
    assert base.encode("a b c") == [0, 3, 1]
    assert base.spell(2) == base.decode([2], False) == base.decode([2], True) == ""


def test_special_tokens_are_no_text_and_nothing_is_padded_cut_or_added(tmp_path):
    tokenizer = words({"a": 0, "[UNK]": 1, "b": 2, "<s>": 3})
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.add_tokens(["plain"])
    tokenizer.enable_padding(length=9)
    tokenizer.enable_truncation(2)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 3)]
    )
    base = read(tmp_path, tokenizer)
    assert base.encode("a b a") == [0, 2, 0]
    assert base.encode("a <s> b") == [0, 1, 2] and base.control == {}
    assert list(base.text_ids) == [0, 2, 4]
    assert base.spell(4) == "plain" and base.decode([3, 0], False) == "<s> a"


def test_a_special_token_that_is_a_piece_is_unknown_in_text(tmp_path):
    """As T5's, of which "</s>" is the likeliest piece for a tag of that name."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(letter, -2.0) for letter in "ab </s>"]
    tokenizer = tokenizers.Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    base = read(tmp_path, tokenizer)
    assert base.encode("a</s>b") == [3, 2, 4] and base.encode("a?") == [3, 2]
    assert not {0, 1, 2} & set(base.text_ids)


def test_a_tokeniser_that_spells_everything_has_no_unknown_id(tmp_path):
    letters = {letter: n for n, letter in enumerate(sorted(byte_letters()))}
    tokenizer = tokenizers.Tokenizer(models.BPE(letters, []))
    tokenizer.pre_tokenizer = pre.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    base = read(tmp_path, tokenizer)
    assert base.unk is None and base.size == 256
    assert {base.first_byte(id_) for id_ in base.text_ids} == set(range(256))
    assert [base.first_byte(id_) for id_ in base.encode("ü \n")] == [0xC3, 0xBC, 32, 10]
    assert {base.spell(id_) for id_ in base.encode("a é")} == {"a", " ", ""}


@given(st.text(st.characters(codec="utf-8")))
def test_bytes_have_the_letters_of_the_library(text):
    level = pre.ByteLevel(add_prefix_space=False, use_regex=False)
    written = "".join(letters for letters, _ in level.pre_tokenize_str(text))
    assert bytes(map(byte_letters().__getitem__, written)) == text.encode()
    assert set(byte_letters()) == set(pre.ByteLevel.alphabet())


def test_what_is_no_tokenizer_is_refused_with_its_path(tmp_path):
    path = tmp_path / "tokenizer.json"
    with pytest.raises(UsageError, match=r"no vocabulary file at .*tokenizer\.json"):
        tokenizer_json_tokeniser(path)
    for content in ("", "{}", json.dumps({"model": {"type": "None"}})):
        path.write_text(content)
        with pytest.raises(UsageError, match=r"tokenizer\.json' is no tokenizer\.json"):
            tokenizer_json_tokeniser(path)

"""Vocabularies in a `tokenizer.json`, such as Llama 3's: byte-level pieces."""

import json

import numpy as np
import pytest

from sightline.launch.interchange.export_model import export_model
from sightline.launch.interchange.import_model import import_model
from sightline.tasks.tokens.vocabulary import vocabulary

from .conftest import LLAMA, SENTENCES

tokenizers = pytest.importorskip("tokenizers")

SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|reserved_0|>")
CONFIG = {**LLAMA, "vocab_size": 512, "bos_token_id": 400, "eos_token_id": [401, 402]}
TEXT = "some words, naïve 東京 🙂 <|begin_of_text|>\n\n  end"


@pytest.fixture
def folder(folders):
    """400 pieces, 256 of them bytes, then three special tokens."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    levels = tokenizers.pre_tokenizers.ByteLevel
    tokenizer.pre_tokenizer = levels(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=levels.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    missing = 400 - tokenizer.get_vocab_size()
    tokenizer.add_tokens([f"filler{n}" for n in range(missing)])
    tokenizer.add_special_tokens(list(SPECIAL))
    folder = folders.write(CONFIG)
    (folder / "tokenizer.model").write_bytes(b"IQ== 0\nIg== 1\n")  # tiktoken's form
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_its_ids_and_text(folders, folder):
    run = folders.root / "run"
    import_model(folder, run)
    vocab = vocabulary(str(run / "vocabulary.json"))
    library = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    plain = TEXT.replace("<|begin_of_text|>", "")
    np.testing.assert_array_equal(
        vocab.encode(plain), library.encode(plain, add_special_tokens=False).ids
    )
    special = vocab.special_ids
    assert (special.bos, special.eos) == (400, 401)
    assert set(vocab.encode(TEXT).tolist()) <= set(special.text.tolist())
    assert vocab.decode(vocab.encode(TEXT)) == TEXT
    assert not {400, 401, 402} & set(special.text.tolist())
    starts = {vocab.spell(i) for i in special.word_starts.tolist()}
    assert " words" in starts and "words" not in starts
    assert "東" not in starts  # it is spelt in bytes, of which the first one counts
    first = vocab.encode("東")[0]
    assert first in special.word_starts


def test_added_ids_are_tokens_of_the_export(folders, folder):
    run, out = folders.root / "run", folders.root / "out"
    import_model(folder, run, add_reserved_ids=True)
    export_model(run, out)
    vocab = vocabulary(str(run / "vocabulary.json"))
    library = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    assert library.get_vocab_size() == vocab.size
    for id_ in (vocab.special_ids.mask, vocab.special_ids.sentinels[5]):
        assert library.id_to_token(id_) == vocab.decode([id_])
    assert (
        library.token_to_id("<mask>")
        == json.loads((run / "vocabulary.json").read_text())["ids"]["mask"]
    )


def test_a_damaged_file_is_refused(folders, folder):
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(ValueError, match=r"is no tokenizer\.json, or a damaged one"):
        import_model(folder, folders.root / "run")

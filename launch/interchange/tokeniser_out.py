"""A vocabulary as files that transformers' tokenisers load."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...tasks.tokens.model_vocabulary import as_json
from ...tasks.tokens.tokenizer_json import byte_letters
from ...tasks.tokens.vocabulary import Vocabulary
from .import_model import TOKENISER
from .json_fields import Json, count, mapping
from .tokeniser_in import FILES, OURS

_UNIGRAM, _NORMAL, _USER_DEFINED = 1, 1, 4  # of sentencepiece_model.proto
_MODEL = "sightline_tokeniser.model"

_SPELT = (
    "Text that spells a reserved token, such as <mask>, becomes that token here; in "
    "training it was text."
)
_NORMALISED = (
    "A few texts get other ids here than in training: the SentencePiece model "
    "normalises them (as nmt_nfkc does), and transformers normalises a grapheme at a "
    "time. It is so where several characters are one: letters with combining marks, "
    "Hangul in jamo, half-width kana with a sound mark, \\r\\n. Encode those with "
    f"sentencepiece and {_MODEL}."
)


class TokeniserFiles(NamedTuple):
    """Files of a tokeniser.

    Attributes:
      files: content by name.
      remarks: what they cannot do.
    """

    files: dict[str, bytes]
    remarks: tuple[str, ...]


def tokeniser_files(
    vocab: Vocabulary, *, slots: int, starts: bool, ends: bool
) -> TokeniserFiles:
    """The files for a vocabulary: its model's own, or a tokenizer.json that is made.

    Args:
      vocab: the vocabulary.
      slots: of a row, the longest text.
      starts: whether texts are given BOS in front, as by a decoder's tokeniser.
      ends: whether they are given EOS behind, as by an encoder's.
    """
    kept = Path(vocab.name).expanduser().parent / TOKENISER
    came_with_model = vocab.name.endswith(".json") and kept.is_dir()
    if came_with_model:
        made = _kept(vocab, kept)
    else:
        made = _made(vocab, slots=slots, starts=starts, ends=ends)
    return made._replace(files={**made.files, **_own(vocab)})


def _own(vocab: Vocabulary) -> dict[str, bytes]:
    """What `sightline import` reads, so that it finds every id by its name."""
    content = vocab.base.content
    if content == b"bytes":
        name, files = "bytes", {}
    elif content[:1] == b"{":
        name = "sightline_tokeniser.json"
        files = {name: content}
    else:
        name, files = _MODEL, {_MODEL: content}
    text = json.dumps(as_json(name, vocab.reserved), indent=1) + "\n"
    return {OURS: text.encode(), **files}


def _kept(vocab: Vocabulary, kept: Path) -> TokeniserFiles:
    """The tokeniser that came with the model, with the ids that were added."""
    files = {n: (kept / n).read_bytes() for n in FILES if (kept / n).is_file()}
    if "label_0" not in vocab.reserved.ids:  # no model comes with one: none were added
        return TokeniserFiles(files, ())
    if "tokenizer.json" not in files:
        remark = (
            "The tokeniser's file has no tokens for the ids that were added to the "
            f"table; take them from {OURS}."
        )
        return TokeniserFiles(files, (remark,))
    content = json.loads(files["tokenizer.json"])
    tokens = content.get("added_tokens") or []
    have = {token["id"] for token in tokens} | _piece_ids(content)
    # All behind the last, in turn: the library numbers added tokens by itself.
    new = [i for i in range(vocab.base.size, vocab.size) if i not in have]
    content["added_tokens"] = [*tokens, *(_added(i, _name(vocab, i)) for i in new)]
    files["tokenizer.json"] = json.dumps(content, ensure_ascii=False).encode()
    return TokeniserFiles(files, ())


def _piece_ids(content: Json) -> set[int]:
    """The ids of a tokenizer.json's pieces, which are listed or have their ids."""
    where = "tokenizer.json"
    model = mapping(content, "model", where=where)
    if isinstance(model.get("vocab"), list):
        return set(range(len(model["vocab"])))
    where += ": model"
    pieces = mapping(model, "vocab", where=where)
    where += ": vocab"
    return {count(pieces, piece, least=0, where=where) for piece in pieces}


def _made(vocab: Vocabulary, *, slots: int, starts: bool, ends: bool) -> TokeniserFiles:
    """A tokenizer.json of bytes or of a SentencePiece model that has one."""
    if vocab.base.content == b"bytes":
        parts, names, remarks = (
            _of_bytes(),
            {0: "<pad>", 1: "<eos>", 2: "<unused_2>"},
            (),
        )
    else:
        parts, names, reason = _of_sentencepiece(vocab)
        if reason:
            return TokeniserFiles({}, (reason,))
        kinds = {step["type"] for step in parts["normalizer"]["normalizers"]}
        remarks = (_SPELT, _NORMALISED) if "Precompiled" in kinds else (_SPELT,)
    for id_ in range(vocab.base.size, vocab.size):
        names[id_] = _name(vocab, id_)
    roles = {
        key: names[vocab.reserved.ids[key]]
        for key in ("pad", "bos", "eos", "mask", "sep")
        if vocab.reserved.ids.get(key) in names
    }
    around = [roles["bos"]] if starts and "bos" in roles else []
    behind = [roles["eos"]] if ends and "eos" in roles else []
    ids = {name: id_ for id_, name in names.items()}
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(id_, names[id_]) for id_ in sorted(names)],
        **parts,
        "post_processor": _template(around, behind, ids),
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": slots,
        **{f"{key}_token": name for key, name in roles.items()},
    }
    if vocab.unk is not None and vocab.unk in names:
        settings["unk_token"] = names[vocab.unk]
    files = {
        "tokenizer.json": json.dumps(content, ensure_ascii=False).encode(),
        "tokenizer_config.json": (json.dumps(settings, indent=1) + "\n").encode(),
    }
    return TokeniserFiles(files, remarks)


def _name(vocab: Vocabulary, id_: int) -> str:
    """How a reserved id is spelt: `<mask>`, `<sentinel_0>`, `<unused_1035>`."""
    return vocab.decode([id_])


def _added(id_: int, content: str) -> dict[str, Any]:
    return {
        "id": id_,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _template(
    before: Sequence[str], behind: Sequence[str], ids: dict[str, int]
) -> dict[str, Any] | None:
    if not before and not behind:
        return None

    def special(name: str) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": 0}}

    def text(letter: str) -> list[dict[str, Any]]:
        return [
            *map(special, before),
            {"Sequence": {"id": letter, "type_id": 0}},
            *map(special, behind),
        ]

    return {
        "type": "TemplateProcessing",
        "single": text("A"),
        "pair": [*text("A"), *text("B")],
        "special_tokens": {
            name: {"id": name, "ids": [ids[name]], "tokens": [name]}
            for name in dict.fromkeys((*before, *behind))
        },
    }


def _of_bytes() -> dict[str, Any]:
    """ByT5's ids: byte b is 3 + b."""
    vocab = {"<pad>": 0, "<eos>": 1, "<unused_2>": 2}
    vocab |= {letter: 3 + byte for letter, byte in byte_letters().items()}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
    return {
        "normalizer": None,
        "pre_tokenizer": {**level, "use_regex": False},
        "decoder": {**level, "use_regex": False},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocab,
            "merges": [],
        },
    }


def _of_sentencepiece(
    vocab: Vocabulary,
) -> tuple[dict[str, Any], dict[int, str], str]:
    """Parts of a tokenizer.json, names of its special ids, and why there are none."""
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()  # pyright: ignore
    model.ParseFromString(vocab.base.content)
    trainer, normaliser = model.trainer_spec, model.normalizer_spec
    plain = (
        trainer.model_type == _UNIGRAM
        and not trainer.treat_whitespace_as_suffix
        and not normaliser.remove_extra_whitespaces
        and normaliser.escape_whitespaces
    )
    if not plain:
        return {}, {}, (
            "No tokenizer.json: the vocabulary is not a SentencePiece unigram model "
            "that keeps every space. Encode texts with sentencepiece and "
            f"{_MODEL}, whose ids are the model's."
        )  # fmt: skip
    normal = [p.score for p in model.pieces if p.type == _NORMAL]
    # The library's largest score starts at the smallest positive float.
    least, most = min(normal), max(*normal, float(np.finfo(np.float32).tiny))
    pieces = []
    special: dict[int, str] = {}
    for id_, piece in enumerate(model.pieces):
        score = piece.score
        if piece.type == _USER_DEFINED:
            # They win over all else (sentencepiece's unigram_model.cc).
            score = len(piece.piece) * most - 0.1
        elif piece.type != _NORMAL:
            score = least
        if piece.type in (2, 3):  # unknown, control
            special[id_] = piece.piece
        pieces.append([piece.piece, score])
    steps: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    ]
    if normaliser.add_dummy_prefix:
        steps.insert(0, {"type": "Prepend", "prepend": "▁"})
    if normaliser.precompiled_charsmap:
        charsmap = base64.b64encode(normaliser.precompiled_charsmap).decode()
        steps.insert(0, {"type": "Precompiled", "precompiled_charsmap": charsmap})
    decoders: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if normaliser.add_dummy_prefix:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return (
        {
            "normalizer": {"type": "Sequence", "normalizers": steps},
            "pre_tokenizer": None,
            "decoder": {"type": "Sequence", "decoders": decoders},
            "model": {
                "type": "Unigram",
                "unk_id": trainer.unk_id,
                "vocab": pieces,
                "byte_fallback": trainer.byte_fallback,
            },
        },
        special,
        "",
    )

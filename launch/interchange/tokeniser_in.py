"""The vocabulary of a model's folder: its tokeniser's file, and what its ids mean."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...objectives.errors import UsageError
from ...tasks.tokens.base_tokeniser import BaseTokeniser
from ...tasks.tokens.model_vocabulary import (
    as_json,
    base_tokeniser,
    checked,
    read_model_vocabulary,
)
from ...tasks.tokens.reserved import SENTINELS, Reserved
from .json_fields import CONFIG, Json, count, listed, mapping, read_json, wrong

OURS = "sightline_vocabulary.json"
"""A `vocabulary.json` in a folder that `sightline export` wrote."""

FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""Files of a folder's tokeniser, which an export gives back."""

_BASES = ("spiece.model", "tokenizer.model", "tokenizer.json")
_SPECIAL = ("pad", "bos", "eos", "mask", "sep")
_SENTINEL = re.compile(r"[▁ ]?<extra_id_(\d+)>")


class _Settings(NamedTuple):
    """What the files beside the tokeniser say.

    Attributes:
      special: the token of each of `_SPECIAL` that they name.
      ids: of added tokens.
      extra_ids: number of sentinels behind the pieces of a T5's tokeniser.
    """

    special: Mapping[str, str]
    ids: Mapping[str, int]
    extra_ids: int


class ModelVocabulary(NamedTuple):
    """The vocabulary of a model's folder.

    Attributes:
      base_file: the tokeniser's file; None where ids are bytes.
      base: the tokeniser.
      reserved: its ids, with their layout.
    """

    base_file: Path | None
    base: BaseTokeniser
    reserved: Reserved

    def files(self) -> dict[str, bytes]:
        """`vocabulary.json` and the tokeniser's file, by name."""
        name = "bytes" if self.base_file is None else self.base_file.name
        content = json.dumps(as_json(name, self.reserved), indent=1) + "\n"
        files = {"vocabulary.json": content.encode()}
        if self.base_file is not None:
            files[name] = self.base_file.read_bytes()
        return files


def vocabulary_in(
    folder: Path, config: Json, *, size: int, encoder_decoder: bool
) -> ModelVocabulary:
    """The vocabulary of a model's folder, with exactly the ids of its table.

    Args:
      folder: with config.json.
      config: its content.
      size: rows of the model's table.
      encoder_decoder: whether its targets start with its `decoder_start_token_id`.

    Raises:
      UsageError: there is no tokeniser, none that can be read, or one of another model.
    """
    if (folder / OURS).is_file():
        base, reserved = read_model_vocabulary(folder / OURS)
        name = json.loads((folder / OURS).read_text())["base"]
        file = None if name == "bytes" else folder / name
        if reserved.size != size:
            raise UsageError(
                f"{folder / OURS} has {reserved.size} ids, and the model's table "
                f"{size} rows; give the vocabulary of this model."
            )
        return ModelVocabulary(file, base, reserved)
    file = _base_file(folder)
    base = base_tokeniser(folder, file.name)
    settings = _settings(folder)
    ids = _ids(settings, config, base, encoder_decoder=encoder_decoder)
    reserved = Reserved(size, ids, _sentinels(settings, base, size, file))
    return ModelVocabulary(file, base, checked(base, reserved, where=str(folder)))


def _base_file(folder: Path) -> Path:
    """The file to read. SentencePiece's needs no further library, so it goes first."""
    for name in _BASES:
        path = folder / name
        # Llama 3 has a `tokenizer.model` in another form, in base64 lines.
        if path.is_file() and not (name == "tokenizer.model" and _is_tiktoken(path)):
            return path
    raise UsageError(
        f"{folder} has no tokeniser: none of {', '.join(_BASES)}; put the one that the "
        "model was trained with beside its config.json."
    )


def _is_tiktoken(path: Path) -> bool:
    with path.open("rb") as file:
        return re.match(rb"[A-Za-z0-9+/]+=* \d+\n", file.readline(200)) is not None


def _settings(folder: Path) -> _Settings:
    """What the files beside the tokeniser say; of two that differ, the later one."""
    file = "added_tokens.json"
    content = _read_if_there(folder / file)
    ids = {token: count(content, token, least=0, where=file) for token in content}
    special: dict[str, str] = {}
    extra_ids = SENTINELS
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        content = _read_if_there(folder / file)
        for key in _SPECIAL:
            if (token := content.get(f"{key}_token")) is not None:
                special[key] = _spelling(token, file, f"{key}_token")
        extra_ids = count(content, "extra_ids", extra_ids, least=0, where=file)
        where = f"{file}: added_tokens_decoder"
        for id_, token in mapping(content, "added_tokens_decoder", where=file).items():
            if not re.fullmatch("[0-9]{1,9}", id_):
                raise UsageError(f"{where} has the key {id_!r}; make it an id.")
            ids[_spelling(token, where, id_)] = int(id_)
    file = "tokenizer.json"
    tokens = listed(_read_if_there(folder / file), "added_tokens", where=file)
    for n, token in enumerate(tokens):
        name = f"added_tokens[{n}]"
        if not isinstance(token, Mapping):
            raise wrong(file, name, token, "an object with `id` and `content`")
        spelling = _spelling(token, file, name)
        ids[spelling] = count(token, "id", least=0, where=f"{file}: {name}")
    return _Settings(special, ids, extra_ids)


def _read_if_there(path: Path) -> Json:
    return read_json(path) if path.is_file() else {}


def _spelling(token: Any, where: str, name: str) -> str:
    """The text of a token, which stands by itself or in an object."""
    text = token.get("content") if isinstance(token, Mapping) else token
    if not isinstance(text, str):
        raise wrong(where, name, token, "a text, or an object with the text `content`")
    return text


def _ids(
    settings: _Settings, config: Json, base: BaseTokeniser, *, encoder_decoder: bool
) -> dict[str, int]:
    """The reserved ids that the model has, by our names.

    The config's ids go first: they are what the model was trained with. What starts an
    encoder–decoder's targets is its `decoder_start_token_id`, T5's pad.
    """
    first = "decoder_start_token_id" if encoder_decoder else "bos_token_id"
    names = {key: f"{key}_token_id" for key in _SPECIAL}
    ids: dict[str, int] = {}
    for key, name in {**names, "bos": first}.items():
        candidates = [_stated(config, name)]
        if not (key == "bos" and encoder_decoder):
            token = settings.special.get(key, "")
            candidates += [settings.ids.get(token), base.control.get(key)]
        known = [id_ for id_ in candidates if id_ is not None and id_ >= 0]
        if known:
            ids[key] = known[0]
    if encoder_decoder and "bos" not in ids and "pad" in ids:
        ids["bos"] = ids["pad"]
    # One id has one meaning, but for a start that is also pad or eos. Free slots are
    # never seen, so that a pad which is also eos is none.
    taken = {ids[key] for key in ("eos", "bos") if key in ids}
    for key in ("mask", "sep"):
        if ids.get(key) in taken:
            del ids[key]
    if "pad" in ids and ids["pad"] == ids.get("eos"):
        del ids["pad"]
    return ids


def _stated(config: Json, name: str) -> int | None:
    """The id that a config.json states, the first of several; it may be below 0."""
    value = config.get(name)
    several = value if isinstance(value, list) else [value]
    if not all(id_ is None or type(id_) is int for id_ in several):
        raise wrong(CONFIG, name, value, "an id, a list of ids, or null")
    return several[0] if several else None


def _sentinels(
    settings: _Settings, base: BaseTokeniser, size: int, file: Path
) -> tuple[int, ...]:
    """T5's `<extra_id_k>`: as pieces, as added tokens, or behind the pieces.

    Behind the pieces of T5's own file, `<extra_id_k>` is the last of its 100 ids minus
    k, whatever the table is padded to: 32,099 - k of 32,128 rows.
    """
    spelt = {i: _SENTINEL.fullmatch(base.spell(i)) for i in base.text_ids}
    numbers = {int(match[1]): i for i, match in spelt.items() if match}
    for token, id_ in settings.ids.items():
        if match := _SENTINEL.fullmatch(token):
            numbers[int(match[1])] = id_
    if not numbers and file.name == "spiece.model":
        last = base.size + settings.extra_ids - 1
        numbers = (
            {k: last - k for k in range(settings.extra_ids)} if last < size else {}
        )
    return tuple(numbers[k] for k in range(len(numbers)) if k in numbers)

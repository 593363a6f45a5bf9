"""Vocabularies that came with a model: what a `vocabulary.json` must say."""

import json

import pytest

from sightline.objectives.errors import UsageError
from sightline.objectives.special_ids import PartialIds, SpecialIds, reserved_ids
from sightline.tasks.tokens.model_vocabulary import as_json
from sightline.tasks.tokens.reserved import Reserved, completed
from sightline.tasks.tokens.vocabulary import vocabulary

PLAIN = {
    "format": 1,
    "base": "bytes",
    "size": 300,
    "ids": {"pad": 0, "eos": 1, "bos": 0, "mask": None},
    "sentinels": [],
}


def written(folder, **changes):
    path = folder / "vocabulary.json"
    path.write_text(json.dumps({**PLAIN, **changes}))
    return vocabulary(str(path))


def test_it_has_the_ids_that_it_says(tmp_path):
    vocab = written(tmp_path)
    assert vocab.size == 300
    assert isinstance(vocab.special_ids, PartialIds)
    assert reserved_ids(vocab.special_ids)["mask"] == ()
    assert vocab.encode_document("a").tolist() == [100, 1]
    assert vocab.decode([0, 299, 100]) == "<pad><unused_299>a"
    assert "mask" in vocab.reserved.lacking and "pad" not in vocab.reserved.lacking


def test_our_own_comes_back_as_it_was(tmp_path):
    ours = vocabulary("bytes")
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps(as_json("bytes", ours.reserved)))
    again = vocabulary(str(path))
    assert again.digest == ours.digest
    assert type(again.special_ids) is SpecialIds


def test_what_is_lacking_is_added_behind_the_last_id():
    few = Reserved(300, {"pad": 0, "eos": 1, "bos": 0}, ())
    whole = completed(few)
    assert not whole.lacking and whole.size == 512
    assert min(i for key, i in whole.ids.items() if key not in few.ids) == 300
    assert whole.sentinels == tuple(range(511, 411, -1))
    assert completed(whole) == whole


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "is no vocabulary of a model"),
        ({"size": "300"}, "is no vocabulary of a model"),
        ({"ids": {"bos": -1}}, "is no vocabulary of a model"),
        ({"ids": {"mast": 3}}, "did you mean 'mask'"),
        ({"ids": {"bos": 300}}, "bos is 300, and the model's table has 300 rows"),
        ({"sentinels": [3, 301]}, r"sentinels\[1\] is 301"),
        ({"size": 200}, "the tokeniser has 259 ids and the model's table 200 rows"),
        ({"base": "../x.model"}, "is in another folder"),
        ({"base": "x.model"}, "no vocabulary file at"),
    ],
    ids=str,
)
def test_what_it_cannot_say(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        written(tmp_path, **changes)

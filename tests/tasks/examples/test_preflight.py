"""What is found before a run begins: ids that lack, rows that are too small."""

import json

import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives.errors import UsageError
from sightline.objectives.registry import get
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.preflight import check_examples, check_ids
from sightline.tasks.tokens.vocabulary import vocabulary

OWN = {"pad": 0, "eos": 1, "bos": 259}


def partial(folder, **ids):
    """A vocabulary of bytes that came with a model, which has these ids alone."""
    content = {"format": 1, "base": "bytes", "size": 384, "sentinels": []}
    path = folder / "vocabulary.json"
    path.write_text(json.dumps({**content, "ids": {**OWN, **ids}}))
    return vocabulary(str(path)).special_ids


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("causal", None),
        ("masked", "mask"),
        ("span_corruption", "sentinels"),
        ("sentence_pair", "sep"),
        ("fill_in_middle", "fill"),
    ],
)
def test_an_objective_that_takes_an_id_that_lacks_is_named(tmp_path, name, needs):
    ids = partial(tmp_path)
    if needs is None:
        return check_ids(get(name), ids)
    with pytest.raises(UsageError, match=rf"objective '{name}': the vocabulary has no"):
        check_ids(get(name), ids)


def test_the_ids_that_an_objective_takes_are_enough(tmp_path):
    ids = partial(tmp_path, sep=260, label_0=261, label_1=262)
    check_ids(get("sentence_pair"), ids)
    with pytest.raises(UsageError, match="objective 'masked': "):
        check_ids(get("masked"), ids)


def mixture(name, vocab="policies", **settings):
    own = {name: settings} if settings else {}
    return Mixture("m", {f"policies.{name}": 1}, vocabulary=vocab, settings=own)


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (decoder_rows(slots=2, predictions=2), "sentence_pair"),
        (encoder_decoder_rows(slots=1, predictions=1, memory_slots=40,
                              memory_predictions=1), "span_corruption"),
    ],
)  # fmt: skip
def test_rows_that_are_too_small_are_refused(rows, name):
    with pytest.raises(UsageError, match=rf"no Example of '{name}'"):
        check_examples(mixture(name), rows)


def test_a_corpus_without_its_documents_is_refused(tmp_path):
    missing = {"text": {"folder": str(tmp_path / "missing")}}
    mixed = Mixture("m", {"text.causal": 1}, settings=missing)
    with pytest.raises(UsageError, match=r"text\.folder .* does not exist"):
        check_examples(mixed, decoder_rows(slots=64, predictions=64))

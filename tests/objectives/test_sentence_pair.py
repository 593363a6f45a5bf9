"""Pairs: three kinds of negatives, and nothing but the texts tells the label."""

import numpy as np
import pytest

from sightline.objectives import registry


def split(example, ids):
    at = int(np.flatnonzero(example.inputs == ids.sep)[0])
    return example.inputs[:at].tolist(), example.inputs[at + 1 :].tolist()


def kind_of(text, example, ids):
    """Which kind of pair this is, by where its two texts come from."""
    first, second = split(example, ids)
    window = text.tokens[: len(text.tokens) - text.ends_document].tolist()
    if first + second == window:
        return "continues"
    if second + first == window:
        return "swapped"
    return "other" if min(second) >= 500 else "further"


def pairs(text, ids, *, count, **settings):
    objective = registry.get("sentence_pair").with_settings(**settings)
    rng = np.random.default_rng(0)
    return [objective(text, rng, ids) for _ in range(count)]


def test_rates_of_each_kind_and_their_labels(make_text, ids):
    text = make_text(400, 0, 100)
    examples = pairs(text, ids, count=4000, other=0.2, further=0.1, swapped=0.3)
    kinds = [kind_of(text, example, ids) for example in examples]
    rates = {"continues": 0.4, "other": 0.2, "further": 0.1, "swapped": 0.3}
    for kind, rate in rates.items():
        assert abs(kinds.count(kind) / 4000 - rate) < 5 * np.sqrt(rate / 4000)
    for kind, example in zip(kinds, examples, strict=True):
        assert example.targets.tolist() == [ids.labels[kind == "continues"]]


@pytest.mark.parametrize("kind", ["other", "further", "swapped"])
def test_lengths_do_not_tell_the_label(kind, make_text, ids):
    """The same cuts, whatever the label: both parts are as long for negatives."""
    text = make_text(400, 0, 100)
    rates = {"other": 0.0, "further": 0.0, "swapped": 0.0, kind: 0.5}
    lengths: dict[int, list[int]] = {ids.labels[0]: [], ids.labels[1]: []}
    for example in pairs(text, ids, count=4000, **rates):
        lengths[int(example.targets[0])].append(len(split(example, ids)[0]))
    no, yes = (np.array(lengths[label]) for label in ids.labels)
    assert abs(no.mean() - yes.mean()) < 5 * no.std() * np.sqrt(2 / 2000)
    assert abs(no.std() - yes.std()) < 0.1 * no.std()


def test_label_does_not_depend_on_what_the_document_allows(make_text, ids):
    """At the end of a document nothing follows: swapped pairs take the place."""
    text = make_text(100, 40, 100)
    examples = pairs(text, ids, count=2000, other=0.0, further=0.5, swapped=0.0)
    kinds = [kind_of(text, example, ids) for example in examples]
    assert set(kinds) == {"continues", "swapped"}
    assert abs(kinds.count("swapped") / 2000 - 0.5) < 5 * 0.5 / np.sqrt(2000)


def test_further_text_is_later_text_of_the_same_document(make_text, ids):
    text = make_text(400, 100, 160)
    later = "," + ",".join(map(str, text.document[160:-1].tolist())) + ","
    for example in pairs(text, ids, count=50, other=0.0, further=1.0, swapped=0.0):
        assert "," + ",".join(map(str, split(example, ids)[1])) + "," in later


def test_neither_eos_nor_label_is_shown(make_text, ids):
    for example in pairs(make_text(100), ids, count=200):
        assert ids.eos not in example.inputs
        assert not set(ids.labels) & set(example.inputs.tolist())


def test_other_text_comes_from_any_place_of_the_corpus_alike(make_text, ids):
    """Nine documents of 60 tokens for one of 960: the long one has 93 % of places."""

    def other(rng):
        long = rng.random() < 0.1
        return np.append(np.full(960 if long else 60, 600 + long), 1).astype(np.int32)

    text = make_text(400, 0, 40)._replace(other=other)
    found = []
    for example in pairs(text, ids, count=2000, other=1.0, further=0.0, swapped=0.0):
        _, second = split(example, ids)
        found.append((len(second), second[0] == 601))
    sizes, from_long = np.array(found).T
    long, short = 0.1 * (961 - sizes), 0.9 * (61 - sizes)
    expected = np.mean(long / (long + short))
    # 16 draws have no long document with probability 0.9^16 = 0.19.
    assert expected - 0.25 < from_long.mean() <= expected
    assert from_long.mean() > 0.6


@pytest.mark.parametrize("kind", ["other", "further", "swapped"])
@pytest.mark.parametrize("length", [4, 5, 8, 9, 62])
def test_no_length_is_found_with_one_label_only(kind, length, make_text, ids):
    text = make_text(400, 0, length)
    rates = {"other": 0.0, "further": 0.0, "swapped": 0.0, kind: 0.5}
    lengths = {label: set() for label in ids.labels}
    for example in pairs(text, ids, count=1500, **rates):
        lengths[int(example.targets[0])].add(len(split(example, ids)[0]))
    no, yes = (lengths[label] for label in ids.labels)
    assert no == yes

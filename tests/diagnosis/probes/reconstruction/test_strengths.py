"""From which strength on a model beats handing the excerpt back."""

import pytest

from sightline.diagnosis.probes.reconstruction.restoration import GAIN, UNDAMAGED
from sightline.diagnosis.probes.reconstruction.restored import NOTHING
from sightline.diagnosis.probes.reconstruction.strengths import (
    Strength,
    beats_from,
    by_strength,
    strengths_text,
)
from sightline.diagnosis.scores.score import Score


def score(kind, metric, value, low, high, nothing=None):
    shallow = {} if nothing is None else {NOTHING: nothing}
    return Score(
        *("reconstruction", "restoration", kind, metric, value, low, high),
        *(None, "lower", "reconstruction", True, shallow, 20, 20),
    )


def at(kind, rate, gain, width=0.02):
    """The two scores of a kind at a rate, in percent."""
    name, nothing = f"{kind}, {rate} %", rate / 100
    return [
        score(name, "edit distance", nothing - gain, 0, 1, nothing),
        score(name, GAIN, gain, gain - width, gain + width, 0.0),
    ]


SCORES = [
    *(
        one
        for rate, gain in ((30, 0.1), (5, -0.2), (15, 0.05))
        for one in at("deletion", rate, gain)
    ),
    *(one for rate in (5, 15, 30) for one in at("insertion", rate, -0.3)),
    # Once beaten and then not: no strength from which on it is.
    *(
        one
        for rate, gain in ((5, 0.1), (15, 0.1), (30, 0.01))
        for one in at("shuffling", rate, gain)
    ),
    score("deletion, 15 %", "exact match", 0.0, 0, 0, 0.0),
    score(UNDAMAGED, "edit distance", 0.31, 0.2, 0.4),
    # Nothing of this kind fitted the model's rows.
    score("masking, 5 %", "edit distance", *[float("nan")] * 3)._replace(items=0),
]


def test_strengths_are_by_kind_and_ascending():
    found = by_strength(SCORES)
    assert set(found) == {"deletion", "insertion", "shuffling"}
    assert [s.rate for s in found["deletion"]] == [0.05, 0.15, 0.3]
    mild = found["deletion"][0]
    assert mild == Strength(
        0.05, 0.25, 0.05, pytest.approx(-0.22), pytest.approx(-0.18)
    )
    assert mild.gain == pytest.approx(-0.2)


def test_a_model_beats_copying_from_where_every_stronger_interval_is_above_it():
    found = by_strength(SCORES)
    assert beats_from(found["deletion"]) == 0.15
    assert beats_from(found["insertion"]) is None
    assert beats_from(found["shuffling"]) is None
    assert beats_from([]) is None


def test_the_sentence_says_from_where_and_what_copying_loses():
    text = strengths_text(SCORES)
    assert "corruption: deletion from 15 % on" in text
    assert "; not insertion or shuffling." in text
    assert "Copying an undamaged excerpt loses 0.31." in text
    none = strengths_text(s for s in SCORES if s.kind.startswith("insertion"))
    assert none.startswith("Restores no kind") and none.endswith("at up to 30 %.")
    assert strengths_text([]) == ""

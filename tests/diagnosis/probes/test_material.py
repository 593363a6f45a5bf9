"""A corpus as probes use it: how much of it is read, and which is refused."""

import pytest

from sightline.diagnosis.probes.material import LEAST, Plan, material


@pytest.fixture(scope="module")
def model(probed, untrained):
    return probed(untrained, {"causal": 1.0})


def test_as_much_is_read_as_is_planned(model, toy, corpus):
    found = material(model, corpus, Plan(documents=30, fitted=50))
    assert list(found.tested) == toy.unseen[:30]
    assert list(found.fitted) == toy.texts[:50]
    # A sentence's four words are five tokens, and a row has 64 slots.
    assert found.most_words == 64 * 4 // 5


@pytest.mark.parametrize("short", ["train", "validation"])
def test_too_few_documents_are_refused(short, model, toy, corpus):
    corpus = corpus._replace(**{short: toy.texts[:7]})
    with pytest.raises(ValueError, match=f"the probes need {LEAST} documents") as why:
        material(model, corpus, Plan())
    said = str(why.value)
    assert f"7 in '{short}'" in said and "'toy'" in said and "--corpus" in said

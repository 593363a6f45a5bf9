"""Probes tell models that were built to fail from healthy ones of the same size.

All are really trained, for a few hundred steps, on the toy language of `conftest`.
"""

import collections
import math

import jax
import numpy as np
import pytest

from sightline.diagnosis.audit.audit import audit
from sightline.diagnosis.causes.causes import causes
from sightline.diagnosis.probes.asking.forms import going_on
from sightline.diagnosis.probes.choices.preferences import preference_scores
from sightline.diagnosis.probes.continuation.continuations import continuations
from sightline.diagnosis.probes.continuation.readouts import continuation_scores
from sightline.diagnosis.probes.drift.future import leak_scores
from sightline.diagnosis.probes.reconstruction.corruptions import excerpts
from sightline.diagnosis.probes.reconstruction.restoration import (
    UNDAMAGED,
    restoration_scores,
)
from sightline.diagnosis.traits.traits import mixture_traits
from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.tasks.examples.mixture import Mixture

pytestmark = [pytest.mark.unchecked, pytest.mark.optimised]

ALL = registry.objectives()
PAIR = ALL["sentence_pair"].with_settings(unit="sentence")
RECONSTRUCTION = ALL["reconstruction"].with_settings(infill=0.0, mask=0.3)
CHOICE = math.log(8 * 7)
"""Nats of a text: its topic and where it begins; all else follows."""


@pytest.fixture(scope="module", autouse=True)
def one_device():
    with jax.default_device(jax.devices()[0]):
        yield


@pytest.fixture(scope="module")
def pairs(toy):
    """Items of every kind of negative; none dropped, as nothing else tells here."""
    rng = np.random.default_rng(0)
    return continuations(toy.unseen, rng, even=(), most_words=8, least_words=4)


@pytest.fixture
def peeking(widen):
    """Each target slot sees one slot more: the token that it is to predict."""
    return lambda: widen(1)


# --- A pair classifier that was trained on random negatives only.


@pytest.fixture(scope="module")
def by_label(toy, train, pairs, probed):
    """Scores by metric and kind, of a healthy classifier and one of topics only."""
    recipes = {
        "healthy": PAIR.with_settings(other=0.2, further=0.15, swapped=0.15),
        "topics only": PAIR.with_settings(other=0.5, further=0.0, swapped=0.0),
    }
    found = {}
    for name, objective in recipes.items():
        model = probed(train(toy.examples([(objective, 4)])), {"pair": 1.0})
        scores = continuation_scores(model, pairs, readout="label", baselines={})
        found[name] = {(s.metric, s.kind): s for s in scores}
    return found


def test_both_classifiers_tell_other_topics(by_label):
    for scores in by_label.values():
        assert scores["AUC", "other"].low > 0.8
        assert scores["AUC", "other"].trained


@pytest.mark.parametrize("kind", ["further", "swapped"])
def test_a_classifier_of_topics_cannot_tell_order(by_label, kind):
    healthy, topical = (by_label[n] for n in ("healthy", "topics only"))
    guess = topical["AUC", kind]
    assert guess.low - 0.05 < guess.chance < guess.high + 0.05
    assert abs(topical["accuracy", kind].value - 0.5) < 0.05
    assert healthy["AUC", kind].low > max(0.6, guess.high)
    assert healthy["accuracy", kind].low > topical["accuracy", kind].high
    # It says "continues" of every pair, and is as sure of the false ones.
    assert topical["calibration error", kind].low > 0.4
    assert healthy["calibration error", kind].high < 0.25


# --- A model that was trained to fill masks only, asked how a text goes on.


def test_a_masked_model_is_at_chance_where_it_is_asked_causally(
    toy, train, causal, pairs, probed
):
    items = [item for item in pairs if item.kind != "other"]
    masked = train(toy.examples([(ALL["masked"], 6)]))

    def score(model, trained, mode):
        subject = probed(model, {trained: 1.0}, mode=mode)
        return preference_scores(subject, items, probe="order", baselines={})[0]

    asked, own = score(masked, "masked", "causal"), score(masked, "masked", "masked")
    healthy = score(causal, "causal", "causal")
    assert asked.low < 0.5 and abs(asked.value - 0.5) < 0.15
    assert (asked.mode, asked.trained) == ("causal", False)
    assert own.low > 0.7 and (own.mode, own.trained) == ("masked", True)
    assert healthy.low > 0.95 and healthy.trained
    assert probed(masked, {"masked": 1.0}).mode == "masked"


# --- A causal model whose slots see the token that they predict.


def _nats(subject, texts):
    """Mean -log p of whole texts."""
    ids, none = subject.vocab.special_ids, np.zeros(0, np.int32)
    asked = [
        going_on("causal", none, subject.vocab.encode(t)[:30], ids)[0] for t in texts
    ]
    return -np.mean([answer.sum() for answer in subject.score(asked)])


def test_a_leak_is_found_and_comes_first(toy, train, causal, probed, peeking):
    texts, ids = toy.unseen[:56], toy.vocab.special_ids
    objectives = {"causal": ALL["causal"]}
    honest = _nats(probed(causal, {"causal": 1.0}), texts)
    sound = list(audit(causal, objectives, ids, architecture="decoder"))
    peeking()
    leaky = train(toy.examples([(ALL["causal"], 6)]))
    leaking = list(audit(leaky, objectives, ids, architecture="decoder"))

    # No model can be as good as that: the topic has to be guessed.
    assert _nats(probed(leaky, {"causal": 1.0}), texts) < CHOICE / 4
    assert CHOICE * 0.9 < honest < CHOICE * 1.5
    (clean,), (dirty,) = leak_scores(sound), leak_scores(leaking)
    assert clean.value == clean.low == clean.high == clean.chance == 0
    assert dirty.value > 0 and dirty.better == "lower"

    traits = mixture_traits(
        Mixture("m", {"policies.causal": 1}), decoder_rows(slots=96, predictions=96)
    )
    first, healthy = (causes(traits, audit=found)[0] for found in (leaking, sound))
    assert (first.number, first.verdict) == (1, "found")
    assert "drift" in first.failures
    assert healthy.verdict == "ruled out"


# --- A reconstruction model whose targets are another excerpt's.


def _of_another(examples):
    """Each reconstruction's targets go to the eighth one after it."""
    wait = collections.deque()
    for example in examples:
        if example.objective != RECONSTRUCTION.id:
            yield example
            continue
        wait.append(example.targets)
        if len(wait) > 8:
            yield example._replace(targets=wait.popleft())


@pytest.fixture(scope="module")
def restored(toy, train, probed):
    recipe = [(RECONSTRUCTION, 4), (ALL["causal"], 4)]
    made = {
        "healthy": toy.examples(recipe),
        "shuffled": _of_another(toy.examples(recipe)),
    }
    found = {}
    for name, examples in made.items():
        subject = probed(train(examples), {"reconstruction": 0.5, "causal": 0.5})
        taken = excerpts(subject, toy.unseen[:40], most_tokens=20)
        scores = restoration_scores(subject, taken, kinds=["masking"], rates=[0.3])
        found[name] = {s.metric: s for s in scores if s.kind != UNDAMAGED}
    return found


@pytest.mark.parametrize(
    "metric",
    ["exact match", "edit distance", "copy precision", "fluent but unfaithful"],
)
def test_shuffled_labels_are_restored_unfaithfully(restored, metric):
    healthy, shuffled = (restored[n][metric] for n in ("healthy", "shuffled"))
    assert (healthy.mode, healthy.trained) == ("reconstruction", True)
    if healthy.better == "higher":
        assert healthy.low > 0.6 and shuffled.high < 0.5
    else:
        assert healthy.high < 0.4 and shuffled.low > 0.5


def test_doing_nothing_is_better_than_another_text(restored):
    healthy, shuffled = (restored[n]["copy precision"] for n in ("healthy", "shuffled"))
    nothing = healthy.baselines["do nothing"]
    assert nothing == shuffled.baselines["do nothing"] == 1
    assert healthy.value > shuffled.value
    distance = {n: restored[n]["edit distance"] for n in restored}
    assert distance["healthy"].high < distance["healthy"].baselines["do nothing"]
    assert distance["shuffled"].low > distance["shuffled"].baselines["do nothing"]

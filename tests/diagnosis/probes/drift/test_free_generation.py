"""Texts that are written on: by a model that can count, and what they contradict."""

import numpy as np
import pytest

from sightline.diagnosis.probes.asking.writing import ROWS
from sightline.diagnosis.probes.drift.free_generation import (
    Written,
    generation_scores,
    write_on,
    writing_mode,
)
from sightline.models.decoding.samplers import sampled
from sightline.tasks.corpora.policies import Policies, contradictions, restatements
from sightline.tasks.tokens.vocabulary import vocabulary


@pytest.fixture(scope="module")
def counting(causal, probed):
    return probed(causal, {"causal": 1.0})


@pytest.fixture(scope="module")
def policy():
    """A policy, its first half, and a restatement that is in the second."""
    (text, *_) = Policies(seed=5).documents("validation")[:1]
    prompt = text[: len(text) // 2]
    later = [r.later for r in restatements(text) if r.later.start > len(prompt)]
    return text, prompt, later


def test_what_is_written_goes_on_from_the_beginning(counting, toy):
    """More beginnings than are written side by side; each follows its own."""
    texts = toy.unseen[: ROWS + 4]
    beginnings = [text[: 12 * (1 + n % 2)].rstrip() for n, text in enumerate(texts)]
    written = write_on(counting, beginnings)
    assert [w.prompt for w in written] == beginnings
    right = 0
    for wrote, text in zip(written, texts, strict=True):
        assert wrote.text.startswith(wrote.prompt)
        tokens = counting.vocab.encode(wrote.text)
        assert len(tokens) <= counting.shape.decoder.slots
        # It was trained on half a document, so only as far as that.
        right += text.startswith(wrote.text[:60])
    assert right >= 0.9 * len(texts)


def test_samples_follow_from_the_seed(counting, toy):
    beginnings, hot = [toy.unseen[0][:11]] * 3, sampled(temperature=2.0)
    one, again, other = (
        write_on(counting, beginnings, sampler=hot, seed=seed) for seed in (0, 0, 1)
    )
    assert one == again != other
    assert len({w.text for w in one}) > 1  # each has a key of its own


def test_nothing_is_gone_on_from_too(counting):
    (wrote,) = write_on(counting, [""])
    assert wrote.prompt == "" and wrote.text


def test_a_model_of_masks_writes_causally(counting):
    masked = counting._replace(mode="masked", trained={"masked": 1.0})
    assert writing_mode(masked) == "causal"
    found = generation_scores(masked, [Written("", "")])
    assert {(s.mode, s.trained) for s in found} == {("causal", False)}


@pytest.mark.parametrize("mode", ["prefix", "span", "reconstruction", "permuted"])
def test_other_modes_write_behind_their_prompts(mode, counting, toy):
    asked = counting._replace(mode=mode, trained={mode: 1.0})
    (wrote,) = write_on(asked, [toy.unseen[0][:11]])
    assert wrote.text.startswith(wrote.prompt)


def by_kind(found):
    return {(s.kind, s.metric): s for s in found}


def test_a_policy_does_not_contradict_itself(counting, policy):
    text, prompt, later = policy
    assert len(later) > 3
    found = by_kind(generation_scores(counting, [Written(prompt, text)] * 2))
    rate = found["all", "contradiction rate"]
    assert (rate.value, rate.low, rate.high) == (0, 0, 0)
    assert rate.items == 2 * len(later) and rate.documents == 2
    assert 0 < rate.chance < 1
    assert found["texts", "share that contradict"].value == 0
    assert found["texts", "restatements"].value == len(later)
    bands = [s for (kind, _), s in found.items() if kind.endswith("apart")]
    assert sum(s.items for s in bands) == rate.items


def test_bands_are_of_the_words_between_and_chance_draws_a_value_of_the_kind(counting):
    """Of three whole policies, every pair counted one by one, every draw made."""
    texts = Policies(seed=5).documents("validation")[:3]
    written = [Written(text[: len(text) // 3], text) for text in texts]
    pairs = [
        (pair, text[pair.earlier.stop : pair.later.start].count(" "))
        for (prompt, text) in written
        for pair in restatements(text)
        if pair.later.start >= len(prompt)
    ]
    found = by_kind(generation_scores(counting, written))
    for least, below, name in (
        (0, 16, "< 16 words apart"),
        (16, 48, "16 to 48 words apart"),
        (48, 10**6, "≥ 48 words apart"),
        (0, 10**6, "all"),
    ):
        # Blanks stand on both sides of the words between, but for marks.
        sure = [p for p, blanks in pairs if least + 2 <= blanks < below - 2]
        maybe = [p for p, blanks in pairs if least - 2 <= blanks < below + 2]
        rate = found[name, "contradiction rate"]
        assert 0 < len(sure) <= rate.items <= len(maybe)
    wrong = [
        np.mean([other.later.value != pair.earlier.value for other, _ in pairs
                 if other.later.kind == pair.later.kind])
        for pair, _ in pairs
    ]  # fmt: skip
    assert found["all", "contradiction rate"].chance == pytest.approx(np.mean(wrong))


def test_a_value_that_was_changed_contradicts(counting, policy):
    text, prompt, later = policy
    wrong, at = None, later[-1]
    for other in later:
        if other.kind == at.kind and other.value != at.value:
            wrong = text[other.start : other.stop]
    if wrong is None:
        number = next(m for m in later if text[m.start : m.stop].isdigit())
        at, wrong = number, str(int(text[number.start : number.stop]) + 1)
    changed = text[: at.start] + wrong + text[at.stop :]
    expected = [r for r in contradictions(changed) if r.later.start >= len(prompt)]
    assert expected
    both = [Written(prompt, changed), Written(prompt, text)]
    found = by_kind(generation_scores(counting, both))
    rate = found["all", "contradiction rate"]
    assert rate.value == pytest.approx(len(expected) / rate.items)
    assert found["texts", "share that contradict"].value == 0.5
    # What the prompt itself contradicts is not what the model did.
    given = [Written(changed, changed)]
    assert by_kind(generation_scores(counting, given))["all", rate.metric].items == 0


def test_baselines_are_measured_alike(counting, policy):
    text, prompt, _ = policy
    written = [Written(prompt, text)]
    found = generation_scores(counting, written, baselines=written)
    for score in found:
        np.testing.assert_equal(score.baselines, {"5-gram": score.value})


def test_texts_that_restate_nothing_give_no_rate(counting):
    found = by_kind(
        generation_scores(counting, [Written("", "Nothing."), Written("", "")])
    )
    rate = found["all", "contradiction rate"]
    assert rate.items == 0 and np.isnan([rate.value, rate.chance]).all()
    assert found["texts", "restatements"].value == 0


def test_a_prompt_comes_back_as_it_was(policy):
    """Mentions are told to be the model's by where they stand in the text."""
    words, (_, prompt, _) = vocabulary("python_docs"), policy
    assert words.decode(words.encode(prompt)) == prompt

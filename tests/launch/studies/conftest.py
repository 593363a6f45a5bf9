"""A study of seconds: one probe of one text, models of one tiny layer."""

import numpy as np
import pytest

from sightline.diagnosis.failures import registry as failures
from sightline.diagnosis.probes.asking.forms import going_on
from sightline.diagnosis.scores.score import Score
from sightline.launch.configuration.study import read_study
from sightline.launch.studies import rows_of_arms

SMALL = [
    "study.tokens=6000",
    "study.points=2",
    "study.seeds=(0,)",
    "study.mixes={'incumbent': 'incumbent.gin', 'causal': 'causal'}",
    "study.probes={}",
    "study.documents=20",
    "study.fitted=20",
    "study.held_out=1",
    "ModelConfig.d_model=16",
    "ModelConfig.head_dim=8",
    "ModelConfig.d_hidden=16",
    "ModelConfig.layers=1",
    "study.batch_rows=8",
    "warmup_cosine.warmup_steps=1",
    "policies.train_documents=60",
    "policies.validation_documents=20",
]
"""Six batches of 1,024 slots, more or less; twice as many where it is adapted."""

ADAPTED = [
    *SMALL,
    "study.mixes={'incumbent': 'incumbent.gin', 'revised': 'ul2r.gin'}",
    "study.tokens=12000",
    "study.adaptation=@Adaptation()",
    "Adaptation.revised='revised'",
    "Adaptation.schedule=@warmup_stable_decay",
    "Adaptation.budgets=(0.5, 1.0)",
    "Adaptation.additions=False",
    "Adaptation.ablations=False",
    "Adaptation.scratch=()",
    "warmup_stable_decay.peak=1e-3",
    "warmup_stable_decay.warmup_steps=1",
    "warmup_stable_decay.decay_steps=0.4",
]


def read_small(*more):
    """The study of mixes side by side."""
    return read_study(["three_failures.gin"], [*SMALL, *more])


def read_adapted(*more):
    """The study of branches from a base."""
    return read_study(["three_failures.gin"], [*ADAPTED, *more])


def prepare(subject, given):
    """A probe of one text: real probes have tests of their own."""
    text = subject.vocab.encode(given.tested[0])[:40]

    def probe(subject):
        (asked,) = going_on("causal", text[:20], text[20:], subject.vocab.special_ids)
        (answer,) = subject.score([asked])
        value = float(answer.mean())
        return [
            Score(
                failure="drift",
                probe="minimal pairs",
                kind="all",
                metric="accuracy",
                value=value,
                low=value,
                high=value,
                chance=0.5,
                better="higher",
                mode=subject.mode,
                trained=subject.trains(subject.mode),
                baselines={},
                items=1,
                documents=20,
            )
        ]

    return probe


@pytest.fixture(scope="module")
def one_probe():
    """Nothing is measured but one text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            failures, "probes", lambda names: {"drift": {"minimal pairs": prepare}}
        )
        patch.setattr(rows_of_arms, "SAMPLE", 2)
        yield


def same_arrays(left, right):
    """Whether two trees of arrays are equal, bit for bit."""
    import jax

    jax.tree.map(np.testing.assert_array_equal, left, right)

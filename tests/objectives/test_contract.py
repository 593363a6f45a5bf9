"""What every objective promises. A new objective is one more row of `CASES`."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives import registry
from sightline.objectives.budget import Budget
from sightline.objectives.errors import UsageError
from sightline.objectives.example import Lengths

UNIFORM = {"rate": "uniform", "masked_share": 1.0, "random_share": 0.0}

VARIES = [
    ("reconstruction", {"infill": 0.2, "mask": 0.1, "delete": 0.1, "shuffle": 0.5}),
    ("masked", UNIFORM),
    ("masked", {"rate": 0.3, "unit": "word"}),
    ("masked", {"rate": 0.3, "unit": "word", "shift": True}),
    ("masked", {**UNIFORM, "shift": True}),
    ("block_diffusion", {}),
    ("block_diffusion", {"block": 5}),
    ("block_diffusion", {"block": 1, "form": "exact"}),
    ("block_diffusion", {"block": 5, "form": "exact"}),
    ("span_corruption", {"mode": "R", "mode_rate": 0.5}),
    ("prefix", {}),
    ("prefix", {"suffix": 0.25, "mode": "S", "mode_rate": 0.9}),
    ("sentence_pair", {"unit": "sentence"}),
    ("sentence_pair", {"unit": "sentence", "further": 0.5, "distance": 7}),
]
"""Settings whose lengths are random, below the bounds that they state."""

CASES = [
    ("causal", {}),
    ("masked", {}),
    ("masked", {"rate": 0.5, "masked_share": 0.0, "random_share": 1.0}),
    ("masked", {"shift": True}),
    ("span_corruption", {}),
    ("span_corruption", {"density": 0.5, "mean_span": 8.0}),
    ("span_corruption", {"density": 0.5, "mean_span": 3.0, "mode": "X"}),
    ("span_corruption", {"density": 0.15, "mean_span": 64.0}),
    ("permuted", {}),
    ("permuted", {"selection": "spans"}),
    ("permuted", {"selection": "all"}),
    ("sentence_pair", {}),
    ("sentence_pair", {"other": 0.0, "further": 0.5, "swapped": 0.0}),
    ("sentence_pair", {"further": 0.5, "distance": 7}),
    ("prefix", {"suffix": 0.25}),
    ("prefix", {"suffix": 0.5, "mode": "S"}),
    ("fill_in_middle", {}),
    ("fill_in_middle", {"spm": 1.0}),
    ("reconstruction", {"infill": 0.0, "mask": 0.3, "delete": 0.2}),
    ("reconstruction", {"infill": 0.0, "shuffle": 1.0}),
    ("reconstruction", {}),
    ("reconstruction", {"infill": 0.3, "mean_span": 1.0, "shuffle": 1.0}),
    *VARIES,
]

ENDS_ANSWERS = {"span_corruption", "fill_in_middle", "reconstruction"}
"""Objectives that end their answers in EOS wherever the text was cut."""

OWN_IDS = {
    "masked": ("mask",),
    "block_diffusion": ("mask",),
    "reconstruction": ("mask",),
    "span_corruption": ("sentinels", "modes"),
    "prefix": ("modes",),
    "fill_in_middle": ("fill",),
    "sentence_pair": ("sep", "labels"),
}
"""Reserved ids that an objective may show; all may show EOS."""

each_case = pytest.mark.parametrize(("name", "bound"), CASES)

windows = st.tuples(
    st.integers(4, 126), st.integers(0, 40), st.booleans(), st.integers(0, 2**32)
)


def example_of(name, bound, window, make_text, ids):
    """An Example of a window of `length` tokens that ends its document or does not.

    It has at least as many as the objective takes.
    """
    length, start, ends, seed = window
    objective = registry.get(name).with_settings(**bound)
    length = max(length, objective.smallest())
    total = start + length + (0 if ends else 9)
    text = make_text(total, start, start + length)
    return objective, text, objective(text, np.random.default_rng(seed), ids)


def test_every_objective_has_a_row():
    assert {name for name, _ in CASES} == set(registry.objectives())


@each_case
@settings(max_examples=60, deadline=None)
@given(window=windows)
def test_lengths_are_never_exceeded(name, bound, window, make_text, ids):
    objective, text, example = example_of(name, bound, window, make_text, ids)
    bounds = objective.lengths(len(text.tokens))
    taken = Lengths(
        len(example.inputs),
        len(example.targets),
        int((example.inputs_weights > 0).sum()),
        int((example.targets_weights > 0).sum()),
    )
    sizes = (*taken[:4], taken.all_slots)
    most = (*bounds[:4], bounds.all_slots)
    assert all(a <= b for a, b in zip(sizes, most, strict=True)), (taken, bounds)
    if not text.ends_document and (name, bound) not in VARIES:
        assert sizes == most


def test_every_window_fits_the_budget_that_the_largest_fits():
    """Infilling and deletion together make some windows longer than longer ones."""
    for share in (0.15, 0.3):
        settings = {"infill": share, "delete": share}
        objective = registry.get("reconstruction").with_settings(**settings)
        lengths = functools.cache(objective.lengths)
        for inputs in (255, 256, 257, 508, 513):
            budget = Budget(inputs=inputs, targets=4096)
            window = objective.window(budget)
            assert all(budget.fits(lengths(n)) for n in range(3, window + 1))


@each_case
@settings(max_examples=60, deadline=None)
@given(window=windows)
def test_fields_agree_and_something_is_predicted(name, bound, window, make_text, ids):
    objective, _, example = example_of(name, bound, window, make_text, ids)
    assert example.objective == objective.id
    for part in ("inputs", "targets"):
        size = len(getattr(example, part))
        assert len(getattr(example, f"{part}_positions")) == size
        assert len(getattr(example, f"{part}_weights")) == size
    assert len(example.inputs_targets) == len(example.inputs)
    assert example.inputs_weights.sum() + example.targets_weights.sum() > 0
    parts = [example.inputs_positions.tolist(), example.targets_positions.tolist()]
    assert min(parts[0] + parts[1]) >= 0
    # In blocks, what a target's slot shows stands beside what it conceals.
    for positions in parts if len(example.targets_shown) else [parts[0] + parts[1]]:
        assert len(set(positions)) == len(positions)
    assert len(example.inputs_sees) in (0, len(example.inputs))
    assert len(example.targets_shown) in (0, len(example.targets))
    assert len(example.targets_sees) == len(example.targets_shown)


@each_case
@settings(max_examples=20, deadline=None)
@given(window=windows)
def test_what_is_seen_at_second_hand_is_seen_at_first(
    name, bound, window, make_text, ids
):
    """Else a second layer would see what the first does not; a slot sees itself."""
    _, _, example = example_of(name, bound, window, make_text, ids)
    inputs, targets = len(example.inputs), len(example.targets)
    sees = np.zeros((inputs + targets, inputs + targets), bool)
    limits = example.inputs_sees if len(example.inputs_sees) else [inputs] * inputs
    for slot, limit in enumerate(limits):
        sees[slot, :limit] = True
    for slot in range(targets):
        sees[inputs + slot, inputs : inputs + slot + 1] = True
        sees[inputs + slot, :inputs] = True
    for slot, limit in enumerate(example.targets_sees.tolist()):
        block = np.flatnonzero(example.targets_sees == limit)
        sees[inputs + slot] = np.arange(inputs + targets) < min(limit, inputs)
        sees[inputs + slot, inputs + block] = True
    assert sees.diagonal().all()
    assert not (sees.astype(int) @ sees.astype(int) > 0)[~sees].any()


@each_case
@settings(max_examples=60, deadline=None)
@given(window=windows)
def test_only_ids_with_a_reason_appear(name, bound, window, make_text, ids):
    """No pad inside an Example, and BOS at its begin; other ids are text or meant."""
    _, _, example = example_of(name, bound, window, make_text, ids)
    shown = [example.inputs[bound.get("shift", False) :], example.targets]
    shown = np.concatenate([*shown, example.targets_shown])
    meant = [np.atleast_1d(getattr(ids, field)) for field in OWN_IDS.get(name, ())]
    assert np.isin(shown, np.concatenate([ids.text, [ids.eos], *meant])).all()
    assert not np.isin(ids.labels, example.inputs).any()


@each_case
@settings(max_examples=60, deadline=None)
@given(window=windows)
def test_an_example_ends_at_most_once(name, bound, window, make_text, ids):
    """One EOS a part; a text filled in may end beside the answer that fills it."""
    _, text, example = example_of(name, bound, window, make_text, ids)
    ends = 1 + (name == "fill_in_middle" and text.ends_document)
    assert (example.inputs == ids.eos).sum() <= 1
    assert (example.targets == ids.eos).sum() <= ends


@each_case
@settings(max_examples=20, deadline=None)
@given(window=windows)
def test_eos_stands_at_true_ends_only(name, bound, window, make_text, ids):
    _, text, example = example_of(name, bound, window, make_text, ids)
    shown = np.concatenate([example.inputs, example.targets])
    if name not in ENDS_ANSWERS and not text.ends_document:
        assert ids.eos not in shown


@each_case
@settings(max_examples=20, deadline=None)
@given(window=windows)
def test_same_generator_same_example(name, bound, window, make_text, ids):
    _, _, one = example_of(name, bound, window, make_text, ids)
    _, _, two = example_of(name, bound, window, make_text, ids)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


@each_case
def test_the_window_is_left_alone(name, bound, make_text, ids):
    _, text, _ = example_of(name, bound, (60, 0, True, 0), make_text, ids)
    np.testing.assert_array_equal(text.document, make_text(60).document)


@each_case
@pytest.mark.parametrize(
    "budget",
    [
        Budget(slots=512, predictions=512),
        Budget(slots=256, predictions=100),
        Budget(inputs=512, targets=114, inputs_predictions=80),
    ],
)
def test_window_is_the_largest_that_fits(name, bound, budget):
    objective = registry.get(name).with_settings(**bound)
    if budget.slots and bound.get("form") == "exact":
        with pytest.raises(ValueError, match='form="canvas"'):
            objective.window(budget)
        return
    window = objective.window(budget)
    assert budget.fits(objective.lengths(window))
    larger = (objective.lengths(window + more) for more in range(1, 9))
    assert not any(need is not None and budget.fits(need) for need in larger)


def test_unknown_names_give_the_nearest():
    with pytest.raises(
        ValueError, match="no objective 'casual'; did you mean 'causal'"
    ):
        registry.get("casual")
    with pytest.raises(ValueError, match="has no setting 'ratio'; did you mean 'rat"):
        registry.get("masked").with_settings(ratio=0.3)
    with pytest.raises(ValueError, match="'slot'; did you mean 'slots'"):
        Budget.from_sequence_length({"slot": 3})


def test_a_row_too_small_is_an_error():
    with pytest.raises(ValueError, match="no Example of 'sentence_pair'"):
        registry.get("sentence_pair").window(Budget(slots=4))


def test_an_id_is_given_once():
    def fresh(text, rng, ids):
        raise AssertionError("never called")

    with pytest.raises(ValueError, match="taken by 'causal'; free ids"):
        registry.objective(id=0, measure=lambda tokens: None)(fresh)
    with pytest.raises(ValueError, match="out of range"):
        registry.objective(id=registry.CAPACITY, measure=lambda tokens: None)(fresh)


@pytest.mark.parametrize(
    ("name", "bound", "message"),
    [
        ("masked", {"rate": 1.5}, "masked.rate is 1.5"),
        ("masked", {"rate": "uniform"}, "set masked_share=1.0 and random_share=0.0"),
        (
            "masked",
            {
                "rate": "uniform",
                "masked_share": 1.0,
                "random_share": 0.0,
                "unit": "word",
            },
            'set unit="token" or a rate',
        ),
        (
            "block_diffusion",
            {"block": 1},
            "block is 1; set it to a whole number from 2",
        ),
        ("masked", {"masked_share": 0.8, "random_share": 0.3}, "within \\[0, 1\\]"),
        ("span_corruption", {"mean_span": 0.5}, "mean_span is 0.5"),
        ("span_corruption", {"mean_span": 0.0}, "mean_span is 0.0"),
        ("span_corruption", {"density": 1.5}, "span_corruption.density is 1.5"),
        ("span_corruption", {"mode_rate": 2.0}, "span_corruption.mode_rate is 2.0"),
        ("prefix", {"mode": "S", "mode_rate": -1.0}, "prefix.mode_rate is -1.0"),
        ("prefix", {"suffix": 1.5}, "prefix.suffix is 1.5"),
        ("prefix", {"suffix": 0.0}, "prefix.suffix is 0.0; set it above 0"),
        ("prefix", {"suffix": 1.0}, "set it below 1, or mix causal"),
        ("span_corruption", {"density": 1.0}, "set it below 1, or mix causal"),
        (
            "span_corruption",
            {"density": 0.0},
            "leave span_corruption out of Mixture.rates",
        ),
        ("masked", {"rate": 0.0}, "rate is 0.0; set it above 0, or leave masked out"),
        ("prefix", {"mode": "S", "mode_rate": 0.0}, 'or set prefix.mode="none"'),
        ("fill_in_middle", {"spm": 1.1}, "fill_in_middle.spm is 1.1"),
        ("reconstruction", {"infill": 0.5, "mask": 0.6}, "infill \\+ mask \\+ delete"),
        ("reconstruction", {"delete": -0.5}, "reconstruction.delete is -0.5"),
        ("reconstruction", {"shuffle": 3.0}, "reconstruction.shuffle is 3.0"),
        (
            "reconstruction",
            {"mean_span": 0.9},
            "mean_span is 0.9; set it to a",
        ),
        ("reconstruction", {"infill": 0.0}, "nothing to restore; set one of them"),
        ("permuted", {"k": 0}, "permuted.k is 0"),
        (
            "sentence_pair",
            {"distance": 0},
            "distance is 0; set it to a whole number from 1",
        ),
        ("sentence_pair", {"other": 0.9, "swapped": 0.9}, "other \\+ further"),
        ("sentence_pair", {"other": -0.1}, "sentence_pair.other is -0.1"),
    ],
)
def test_bad_settings_are_refused(name, bound, message, make_text, ids):
    with pytest.raises(ValueError, match=message):
        example_of(name, bound, (60, 0, True, 0), make_text, ids)
    with pytest.raises(ValueError, match=message):  # as a mixture is checked
        registry.get(name).with_settings(**bound).window(Budget(slots=128))
        example_of(name, bound, (60, 0, True, 0), make_text, ids)


@pytest.mark.parametrize(
    ("name", "unread", "read"),
    [
        ("permuted", {"k": 3, "selection": "all"}, {"selection": "spans"}),
        ("sentence_pair", {"distance": 5, "further": 0.0, "other": 0.0,
                           "swapped": 0.0}, {"further": 1.0}),
        ("reconstruction", {"mean_span": 2.0, "infill": 0.0, "mask": 0.3},
         {"infill": 0.1}),
        ("span_corruption", {"mode_rate": 0.5}, {"mode": "R"}),
        ("prefix", {"mode_rate": 0.5}, {"mode": "S"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_acts_or_is_refused(name, unread, read, make_text, ids):
    setting, value = next(iter(unread.items()))
    default = registry.get(name).settings[setting]
    message = f"{name}.{setting} is {value}, and acts only with .*{next(iter(read))}"

    def examples(**bound):
        windows_of = [(40, 0, False, seed) for seed in range(20)]
        made = [example_of(name, bound, w, make_text, ids)[2] for w in windows_of]
        return [(e.inputs.tolist(), e.targets.tolist()) for e in made]

    with pytest.raises(UsageError, match=f"{message}.*leave it at {default}, or set"):
        examples(**unread)
    # At its default it is as good as unset, as in a resolved config.
    examples(**{**unread, setting: default})
    acting = {**unread, **read}
    assert examples(**acting) != examples(**{**acting, setting: default})


@pytest.mark.unchecked
@pytest.mark.parametrize(
    ("name", "bound", "message"),
    [
        ("sentence_pair", {"distance": 2.5}, "distance is 2.5; set it to a whole"),
        ("sentence_pair", {"distance": "3"}, "distance is '3'; set it to a whole"),
        ("masked", {"unit": 3}, "masked.unit is 3; valid: token, word"),
        ("span_corruption", {"mode": None}, "span_corruption.mode is None"),
        ("span_corruption", {"density": [0.1]}, r"density is \[0.1\]"),
    ],
)
def test_settings_of_other_types_are_refused(name, bound, message, make_text, ids):
    with pytest.raises(UsageError, match=message):
        example_of(name, bound, (60, 0, True, 0), make_text, ids)

"""Generation with a cache, against the model without one on training's own rows."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from sightline.models.build import build
from sightline.models.decoding.generate import make_generate, make_stream
from sightline.models.decoding.prompt_rows import (
    decoder_batch,
    encoder_decoder_batch,
    first_slots,
)
from sightline.models.decoding.prompts import prompts
from sightline.models.decoding.samplers import greedy, sampled
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.models.vocabulary_loss import logits
from sightline.objectives.example import sequential
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate

VOCABULARY, BOS, INPUTS, TARGETS = 32, 1, 5, 6
SHAPES = {
    "decoder": decoder_rows(slots=INPUTS + TARGETS, predictions=TARGETS),
    "encoder_decoder": encoder_decoder_rows(
        slots=TARGETS, predictions=TARGETS, memory_slots=INPUTS, memory_predictions=1
    ),
}
GIVEN = [2, 0, 1, 3, 3]


def example(inputs, targets, *, stand, ask):
    return sequential(0, inputs, targets, inputs_positions=stand, targets_positions=ask)


EXAMPLES = [
    # Text that goes on from left to right.
    example([5, 6, 7], [8, 9, 10, 11, 12], stand=[1, 2, 3], ask=[4, 5, 6, 7, 8]),
    # Gaps filled in an order of their own, before, between and behind the inputs.
    example(
        [13, 14, 15, 16, 17],
        [18, 19, 20, 21, 22, 23],
        stand=[2, 4, 5, 8, 9],
        ask=[7, 1, 11, 3, 10, 6],
    ),
    # No inputs at all, and a whole permuted text.
    example([], [24, 25, 26, 27, 28, 29], stand=[], ask=[3, 6, 1, 2, 5, 4]),
    # Nothing left to generate.
    example([30], [31, 3, 4], stand=[2], ask=[1, 4, 3]),
    # One input of no order with the targets, one target left.
    example([6, 5], [4, 3, 2, 9], stand=[9, 1], ask=[4, 3, 2, 8]),
]


def filled(tokens, lengths):
    """The Examples with the first tokens of their targets replaced."""
    return [
        e._replace(targets=np.concatenate([row[:n], e.targets[n:]]).astype(np.int32))
        for e, row, n in zip(EXAMPLES, tokens, lengths, strict=True)
    ]


class Model:
    """A tiny model, with the uncached forward pass compiled once."""

    def __init__(self, architecture: str, model):
        self.shape = SHAPES[architecture]
        self.model = model
        self.graph, self.params = nnx.split(model)
        self.is_decoder = architecture == "decoder"
        self.lay_out = decoder_batch if self.is_decoder else encoder_decoder_batch

        @jax.jit
        def scores(params, batch):
            model = nnx.merge(self.graph, params)
            return logits(model(batch).decoder, model.projection())

        self._scores = scores

    def packed(self, examples):
        """One Example a row, laid out and packed as for training."""
        place = layout(self.shape, bos=BOS)
        return collate([[place(e)] for e in examples], self.shape)

    def oracle(self, examples):
        """The logits of every target, [B J V]: a full pass without a cache."""
        found = np.asarray(self._scores(self.params, self.packed(examples)))
        out = np.zeros((len(examples), TARGETS, VOCABULARY), np.float32)
        for row, e in enumerate(examples):
            first = len(e.inputs) if self.is_decoder else 0
            size = len(e.targets)
            out[row, :size] = found[row, first : first + size]
        return out

    @functools.cached_property
    def cached(self):
        """`(prompts, tokens) -> [J B V]`: a step for each target from the given on."""

        @jax.jit
        def run(params, asked, tokens):
            model = nnx.merge(self.graph, params)
            batch = self.lay_out(asked, bos=BOS)
            first, rows = first_slots(asked, batch), jnp.arange(len(asked.given))

            def step(cache, t):
                at = jnp.minimum(asked.given + t, TARGETS - 1)
                last = jnp.where(at == 0, BOS, tokens[rows, at - 1])
                h, cache = model.step(
                    batch, cache, slots=(first + at)[:, None], tokens=last[:, None]
                )
                return cache, logits(h, model.projection())[:, 0]

            return jax.lax.scan(step, model.prefill(batch), jnp.arange(TARGETS))[1]

        return lambda *arrays: np.asarray(run(self.params, *arrays))

    def slow(self, asked, *, allowed=None, eos=None):
        """Greedy generation that runs the whole model again for every token."""
        targets, lengths = asked.targets.copy(), asked.lengths.copy()
        log_p = np.zeros(targets.shape, np.float32)
        for at in range(TARGETS):
            scores = self.oracle(filled(targets, asked.lengths))[:, at]
            best = scores if allowed is None else np.where(allowed, scores, -np.inf)
            token = best.argmax(-1)
            free = (at >= asked.given) & (at < lengths)
            share = np.asarray(jax.nn.log_softmax(scores))
            targets[free, at] = token[free]
            log_p[free, at] = share[np.arange(len(token)), token][free]
            lengths[free & (token == eos)] = at + 1
        used = np.arange(TARGETS) < lengths[:, None]
        return np.where(used, targets, 0), log_p, lengths


@functools.cache
def tiny(architecture: str, position: str, build_tiny) -> Model:
    return Model(architecture, build_tiny(position=position))


@pytest.fixture(autouse=True, scope="module")
def one_device():
    with jax.default_device(jax.devices()[0]):
        yield


@pytest.fixture(params=["rope", "relative_bias"], scope="module")
def tiny_model(request, architecture):
    return tiny(architecture.architecture, request.param, architecture.build)


@pytest.fixture(scope="module")
def rotary(architecture):
    return tiny(architecture.architecture, "rope", architecture.build)


def asked(given=GIVEN, examples=EXAMPLES):
    return prompts(examples, given=given, inputs=INPUTS, targets=TARGETS)


def keys(rows=5, seed=0):
    return jax.random.split(jax.random.key(seed), rows)


def generator(tiny_model, *, sampler=greedy, eos=None, **more):
    return make_generate(tiny_model.model, sampler=sampler, bos=BOS, eos=eos, **more)


def assert_same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        if one.dtype == np.float32:
            np.testing.assert_allclose(one, other, atol=1e-5)
        else:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("given", [[0] * 5, GIVEN, [5, 5, 3, 2, 4]], ids=str)
def test_every_slot_has_the_logits_of_the_full_pass(tiny_model, given):
    wanted, prompt = tiny_model.oracle(EXAMPLES), asked(given)
    found = tiny_model.cached(prompt, prompt.targets)
    compared = 0
    for row, e in enumerate(EXAMPLES):
        for step, at in enumerate(range(given[row], len(e.targets))):
            np.testing.assert_allclose(found[step, row], wanted[row, at], atol=2e-5)
            compared += 1
    assert compared == 24 - sum(given)


def test_rows_are_those_of_training(tiny_model):
    """Up to the end of a row; given all targets, so that their tokens are known."""
    wanted = tiny_model.packed(EXAMPLES)
    found = tiny_model.lay_out(asked([len(e.targets) for e in EXAMPLES]), bos=BOS)
    for stream, other in (
        (found.decoder, wanted.decoder),
        (found.encoder, wanted.encoder),
    ):
        if stream is None:
            assert other is None
            continue
        used = other.segment_ids > 0
        for field in ("tokens", "positions", "query_positions", "visible_from"):
            mine, theirs = getattr(stream, field), getattr(other, field)
            np.testing.assert_array_equal(np.asarray(mine)[used], theirs[used], field)
        np.testing.assert_array_equal(
            np.asarray(stream.visible_to)[used], other.visible_to[used]
        )
    if wanted.memory is not None:
        used = wanted.decoder.segment_ids > 0
        for mine, theirs in zip(found.memory, wanted.memory, strict=True):
            np.testing.assert_array_equal(np.asarray(mine)[used], theirs[used])


def test_greedy_is_the_slow_loop(tiny_model):
    found = generator(tiny_model)(asked(), keys())
    assert_same(found, tiny_model.slow(asked()))
    np.testing.assert_array_equal(found.lengths, [5, 6, 6, 3, 4])


def test_free_targets_are_never_read(rotary):
    other = filled(np.full((5, TARGETS), 17), asked().lengths)
    for e, mine, n in zip(other, EXAMPLES, GIVEN, strict=True):
        e.targets[:n] = mine.targets[:n]
    generate = generator(rotary)
    assert_same(generate(asked(examples=other), keys()), generate(asked(), keys()))


def test_a_sample_of_no_temperature_is_greedy(rotary):
    cold = generator(rotary, sampler=sampled(temperature=1e-6))
    assert_same(cold(asked(), keys()), generator(rotary)(asked(), keys()))


def test_a_row_depends_on_itself_and_its_key_alone(rotary):
    """Rows in another order, beside others, with rubbish in the padding."""
    generate = generator(rotary, sampler=sampled(temperature=100.0, top_p=0.95))
    plain, order = asked(), np.array([3, 1, 4, 1, 0])
    before, key = generate(plain, keys()), keys()
    padding = np.arange(INPUTS) >= plain.inputs_lengths[:, None]
    free = np.arange(TARGETS) >= plain.given[:, None]
    behind = np.arange(TARGETS) >= plain.lengths[:, None]
    messy = plain._replace(
        inputs=np.where(padding, -7, plain.inputs),
        inputs_positions=np.where(padding, 10**6, plain.inputs_positions),
        targets=np.where(free, 999, plain.targets),
        targets_positions=np.where(behind, -(10**6), plain.targets_positions),
    )
    messy = jax.tree.map(lambda x: x.astype(np.int32), messy)
    after = generate(jax.tree.map(lambda x: x[order], messy), key[order])
    assert_same(after, jax.tree.map(lambda x: x[order], before))
    others = generate(plain, keys(seed=1))
    assert (others.targets != before.targets).any(1).tolist() == [1, 1, 1, 0, 1]
    assert len(set(before.targets[1].tolist())) > 2  # nearly uniform: all steps differ


def test_no_id_is_generated_that_is_not_allowed(rotary):
    allowed = np.arange(VOCABULARY) % 3 == 0
    found = generator(rotary, allowed=allowed)(asked(), keys())
    assert_same(found, rotary.slow(asked(), allowed=allowed))
    made = (np.arange(TARGETS) < found.lengths[:, None]) & (
        np.arange(TARGETS) >= asked().given[:, None]
    )
    assert made.sum() == 15 and allowed[found.targets[made]].all()


def test_eos_ends_a_row_and_padding_follows(rotary):
    free = rotary.slow(asked())[0]
    eos = int(free[1, 2])  # row 1 has made three tokens when it ends
    found = generator(rotary, eos=eos, pad=31)(asked(), keys())
    wanted, log_p, lengths = rotary.slow(asked(), eos=eos)
    assert lengths[1] <= 3
    used = np.arange(TARGETS) < lengths[:, None]
    assert_same(found, (np.where(used, wanted, 31), log_p, lengths))


def test_a_given_eos_ends_nothing(rotary):
    eos = int(EXAMPLES[0].targets[0])
    allowed = np.arange(VOCABULARY) > 3
    found = generator(rotary, eos=eos, allowed=allowed)(asked(), keys())
    assert_same(found, rotary.slow(asked(), allowed=allowed, eos=eos))
    assert found.lengths[0] > 2 or found.targets[0, 1] == eos


@pytest.mark.parametrize("steps", [1, 4, 16])
def test_pieces_are_what_comes_in_one_go(rotary, steps):
    """The same programs: equal bit for bit, not within a tolerance."""
    settings = dict(sampler=sampled(temperature=2.0, top_k=9), bos=BOS, eos=7, pad=31)
    whole = make_generate(rotary.model, **settings)(asked(), keys())
    pieces = list(make_stream(rotary.model, steps=steps, **settings)(asked(), keys()))
    for one, other in zip(pieces[-1].generated, whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert pieces[-1].ended.all() and not any(p.ended.all() for p in pieces[:-1])
    free = np.array(whole.lengths) - GIVEN
    assert len(pieces) == -(-free.max() // steps)
    for number, piece in enumerate(pieces, 1):
        known = np.minimum(GIVEN + np.minimum(number * steps, free), whole.lengths)
        np.testing.assert_array_equal(piece.generated.lengths, known)
        used = np.arange(TARGETS) < known[:, None]
        wanted = np.where(used, whole.targets, 31)
        np.testing.assert_array_equal(piece.generated.targets, wanted)


@pytest.mark.parametrize("steps", [1, 2, 16])
def test_the_host_may_end_rows(rotary, steps):
    """Row 1 after two tokens, row 2 after none; the others go on as they would."""
    settings = dict(sampler=greedy, bos=BOS, eos=None, pad=31)
    whole = make_generate(rotary.model, **settings)(asked(), keys())
    seen = []

    def ends(row, generated):
        seen.append((row, len(generated)))
        first = GIVEN[row]
        np.testing.assert_array_equal(
            generated, whole.targets[row, first : first + len(generated)]
        )
        if row == 1 and len(generated) >= 2:
            return 2
        return 0 if row == 2 else None

    stream = make_stream(rotary.model, steps=steps, **settings)
    *_, last = stream(asked(), keys(), ends)
    lengths = np.array([5, 2, 1, 3, 4])
    np.testing.assert_array_equal(last.generated.lengths, lengths)
    used = np.arange(TARGETS) < lengths[:, None]
    np.testing.assert_array_equal(
        last.generated.targets, np.where(used, whole.targets, 31)
    )
    np.testing.assert_array_equal(
        last.generated.log_probabilities, np.where(used, whole.log_probabilities, 0)
    )
    assert last.ended.all() and len(seen) == len(set(seen))
    assert [n for row, n in seen if row == 2] == [
        min(steps, 5)
    ]  # once ended, not again


def test_prompts_that_do_not_fit_are_refused_before_the_first_piece(rotary):
    stream = make_stream(rotary.model, sampler=greedy, bos=BOS, eos=None)
    with pytest.raises(ValueError, match=r"jax.random.split\(key, 5\)"):
        stream(asked(), keys(rows=4))


def test_no_steps_make_no_piece(rotary):
    with pytest.raises(ValueError, match="steps is 0"):
        make_stream(rotary.model, sampler=greedy, bos=BOS, eos=None, steps=0)


def test_slots_that_run_together_are_those_that_run_alone(tiny_model):
    """Three slots of each row in one step, as verifying drafts takes them."""
    prompt = asked([0] * 5)
    wanted = tiny_model.oracle(EXAMPLES)

    @jax.jit
    def run(params, tokens):
        model = nnx.merge(tiny_model.graph, params)
        batch = tiny_model.lay_out(prompt, bos=BOS)
        first = first_slots(prompt, batch)[:, None]
        held = jnp.concatenate([jnp.full_like(tokens[:, :1], BOS), tokens], axis=1)
        cache, found = model.prefill(batch), []
        for start in (0, 3):
            slots = first + start + jnp.arange(3)
            part = held[:, start : start + 3]
            hidden, cache = model.step(batch, cache, slots=slots, tokens=part)
            found.append(logits(hidden, model.projection()))
        return jnp.concatenate(found, axis=1)

    found = np.asarray(run(tiny_model.params, prompt.targets))
    for row, e in enumerate(EXAMPLES):
        size = len(e.targets)
        np.testing.assert_allclose(found[row, :size], wanted[row, :size], atol=2e-5)


def test_another_checkpoint_needs_no_compilation(rotary, architecture):
    traces = []

    def counted(logits, keys):
        traces.append(logits.shape)
        return greedy(logits, keys)

    generator(rotary, sampler=counted)(asked(), keys())
    once = len(traces)
    other = build(
        rotary.model.config,
        vocabulary_size=VOCABULARY,
        shape=rotary.shape,
        rngs=nnx.Rngs(7),
    )
    again = make_generate(other, sampler=counted, bos=BOS, eos=None)
    again(asked([0] * 5), keys(seed=3))
    assert once and len(traces) == once


def test_prompts_go_on_behind_an_example():
    found = prompts(
        EXAMPLES[:2], given=[5, 6], inputs=INPUTS, targets=8, lengths=[7, 4]
    )
    np.testing.assert_array_equal(
        found.targets_positions,
        [[4, 5, 6, 7, 8, 9, 10, 0], [7, 1, 11, 3, 0, 0, 0, 0]],
    )
    np.testing.assert_array_equal(found.lengths, [7, 4])
    np.testing.assert_array_equal(found.targets[1], [18, 19, 20, 21, 0, 0, 0, 0])


ONES = np.ones(6, np.int32)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(given=[0]), "2 Examples came with 1 values of `given`"),
        (dict(lengths=[1]), "1 of `lengths`"),
        (dict(inputs=4), "Example 1 has 5 inputs, more than the 4"),
        (dict(targets=5), "Example 1 has 6 targets, more than the 5"),
        (dict(examples=[EXAMPLES[0], example([5], [], stand=[1], ask=[])],
              lengths=[5, 2]), "at least a first target"),
        (dict(examples=[EXAMPLES[0], EXAMPLES[1]._replace(targets_shown=ONES,
              targets_sees=ONES)]), "Example 1 is written in blocks"),
    ],
)  # fmt: skip
def test_examples_that_make_no_prompts(settings, message):
    plain = dict(examples=EXAMPLES[:2], given=[0, 0], inputs=INPUTS, targets=TARGETS)
    settings = {**plain, **settings}
    with pytest.raises(ValueError, match=message):
        prompts(settings.pop("examples"), **settings)


def ints(*values):
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(given=ints(2, 7, 1, 3, 3)), r"given\[1\] is 7; .* \[0, 6\]"),
        (dict(given=ints(2, 0, 1, 3, -1)), r"given\[4\] is -1"),
        (dict(lengths=ints(7, 6, 6, 3, 4)), r"lengths\[0\] is 7; .* \[0, 6\]"),
        (dict(inputs_lengths=ints(3, 6, 0, 1, 2)), r"inputs_lengths\[1\] is 6"),
        (dict(inputs=np.full((5, INPUTS), 32, np.int32)), r"inputs\[0, 0\] is 32"),
        (dict(targets=np.full((5, TARGETS), -1, np.int32)), r"targets\[0, 0\] is -1"),
        (dict(given=ints(0, 0)), r"given of prompts has the shape \(2,\)"),
        (dict(targets_positions=np.ones((5, 7), np.int32)), r"must be \(5, 6\)"),
        (dict(targets=np.ones((5, 0), np.int32)), "J ≥ 1"),
    ],
)
def test_prompts_that_do_not_fit(decoder, change, message):
    generate = generator(tiny("decoder", "rope", decoder.build))
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(generate)(asked()._replace(**change), keys())


def test_a_key_for_each_row(decoder):
    generate = generator(tiny("decoder", "rope", decoder.build))
    with pytest.raises(ValueError, match=r"jax.random.split\(key, 5\)"):
        inspect.unwrap(generate)(asked(), keys(rows=4))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(eos=32), r"eos is 32, which is no id .* \[0, 32\)"),
        (dict(pad=-1), "pad is -1"),
        (dict(allowed=np.ones(31, bool)), "31 entries; give one for each of the 32"),
        (dict(allowed=np.zeros(32, bool)), "allows no id"),
        (dict(allowed=np.arange(32) > 4, eos=2), "eos is 2, which `allowed` forbids"),
    ],
)
def test_ids_that_do_not_fit(decoder, settings, message):
    with pytest.raises(ValueError, match=message):
        generator(tiny("decoder", "rope", decoder.build), **settings)

"""Self-speculation: the text of left to right, in rounds as a plain loop has them."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import AxisType

from sightline.models.axes import MESH_AXES, param_shardings
from sightline.models.decoding.generate import make_generate
from sightline.models.decoding.prompt_rows import decoder_batch
from sightline.models.decoding.prompts import prompts
from sightline.models.decoding.samplers import greedy, sampled
from sightline.models.decoding.speculate import make_speculate
from sightline.models.vocabulary_loss import logits
from sightline.objectives.example import sequential

VOCABULARY, BOS, MASK, INPUTS, TARGETS = 32, 1, 2, 3, 12
GIVEN, LENGTHS = [3, 0, 1, 2, 1], [12, 12, 9, 2, 10]


def example(inputs, targets):
    at = len(inputs) + 1
    return sequential(
        0,
        inputs,
        targets,
        inputs_positions=np.arange(1, at),
        targets_positions=at + np.arange(len(targets)),
    )


TEXTS = [
    example([], [5, 6, 7]),
    example([8, 9, 10], [3]),  # a prefix that sees itself
    example([], [11]),
    example([12], [13, 14]),  # nothing to generate
    example([15, 16], [17]),
]


def asked(**more):
    return prompts(
        TEXTS, given=GIVEN, inputs=INPUTS, targets=TARGETS, lengths=LENGTHS, **more
    )


def keys(rows=5, seed=0):
    return jax.random.split(jax.random.key(seed), rows)


@pytest.fixture(autouse=True, scope="module")
def one_device():
    with jax.default_device(jax.devices()[0]):
        yield


@pytest.fixture(scope="module")
def model(decoder):
    return decoder.build()


def speculator(model, *, sampler=greedy, eos=None, **more):
    return make_speculate(model, sampler=sampler, bos=BOS, eos=eos, mask=MASK, **more)


def assert_same(found, wanted):
    np.testing.assert_array_equal(found.targets, wanted.targets)
    np.testing.assert_array_equal(found.lengths, wanted.lengths)
    np.testing.assert_allclose(
        found.log_probabilities, wanted.log_probabilities, atol=2e-5
    )


@functools.cache
def scorer(model):
    """Logits of every slot of one row, after changes to what it holds and sees."""
    graph, params = nnx.split(model)

    @jax.jit
    def run(params, batch):
        model = nnx.merge(graph, params)
        return logits(model(batch).decoder, model.projection())

    return lambda batch: np.asarray(run(params, batch))[0]


def rounds_of(model, row, text, *, drafts, shift):
    """(rounds, kept guesses) of a row whose greedy text is known, by whole passes."""
    prompt = jax.tree.map(lambda x: x[row : row + 1], asked())
    prompt = prompt._replace(targets=text[None], given=prompt.lengths)
    plain = jax.tree.map(np.asarray, decoder_batch(prompt, bos=BOS))
    first, at, length = len(TEXTS[row].inputs), GIVEN[row], LENGTHS[row]
    rounds = kept = 0
    while at < length:
        rounds += 1
        stream = jax.tree.map(np.copy, plain.decoder)
        start = first + at
        end = min(start + drafts + (not shift and drafts > 1), first + length)
        stream.tokens[0, start + 1 : end] = MASK
        stream.visible_to[0, start + 1 : end] = end
        best = scorer(model)(plain._replace(decoder=stream)).argmax(-1)
        assert best[start] == text[at]  # the last token's slot sees the past alone
        at += 1
        for guess in range(1, drafts):
            slot = start + guess + (not shift)
            if at >= length or slot >= end or best[slot] != text[at]:
                break
            at, kept = at + 1, kept + 1
        at += 1  # what verifying gives
    return rounds, kept


@pytest.mark.parametrize(
    ("drafts", "shift"), [(1, True), (2, True), (5, True), (2, False), (5, False)]
)
def test_greedy_is_the_text_of_left_to_right(model, drafts, shift):
    wanted = make_generate(model, sampler=greedy, bos=BOS, eos=None)(asked(), keys())
    found = speculator(model, drafts=drafts, shift=shift)(asked(), keys())
    assert_same(found.generated, wanted)
    for row in range(5):
        rounds, kept = rounds_of(
            model, row, wanted.targets[row], drafts=drafts, shift=shift
        )
        assert (found.rounds[row], found.accepted[row]) == (rounds, kept), row
    if drafts > 1:  # or nothing is tested
        assert 0 < found.accepted.sum()
    made = np.sum(LENGTHS) - np.sum(GIVEN)
    wanted_rate = made / (2 * found.rounds.sum())
    assert found.tokens_per_pass(np.array(GIVEN, np.int32)) == wanted_rate


@pytest.mark.parametrize("position", ["rope", "relative_bias"])
def test_eos_and_forbidden_ids_end_it_alike(decoder, position):
    model = decoder.build(position=position)
    allowed = np.arange(VOCABULARY) % 5 > 0
    plain = make_generate(model, sampler=greedy, bos=BOS, eos=None, allowed=allowed)
    eos = int(plain(asked(), keys()).targets[1, 3])
    settings = dict(eos=eos, allowed=allowed, pad=30)
    generate = make_generate(model, sampler=greedy, bos=BOS, **settings)
    wanted = generate(asked(), keys())
    assert wanted.lengths[1] <= 4
    for drafts in (2, 5):
        found = speculator(model, drafts=drafts, **settings)(asked(), keys())
        assert_same(found.generated, wanted)


def test_a_row_depends_on_itself_and_its_key_alone(model):
    speculate = speculator(model, sampler=sampled(temperature=3.0), drafts=4)
    plain, key, order = asked(), keys(), np.array([4, 0, 0, 2, 1])
    behind = np.arange(TARGETS) >= plain.lengths[:, None]
    padding = np.arange(INPUTS) >= plain.inputs_lengths[:, None]
    messy = plain._replace(
        targets_positions=np.where(behind, 10**6, plain.targets_positions),
        inputs_positions=np.where(padding, 10**6, plain.inputs_positions),
    )
    messy = jax.tree.map(lambda x: x.astype(np.int32)[order], messy)
    before, after = speculate(plain, key), speculate(messy, key[order])
    for one, other in zip(jax.tree.leaves(after), jax.tree.leaves(before), strict=True):
        np.testing.assert_allclose(one, other[order], atol=1e-5)
    others = speculate(plain, keys(seed=1)).generated
    assert (others.targets != before.generated.targets).any(1).sum() == 4


@pytest.mark.parametrize("shift", [True, False])
def test_a_sample_has_the_distribution_of_left_to_right(model, shift):
    """Three tokens after one, each among the model's three likeliest: 27 texts."""
    sampler, rows = sampled(temperature=2.0, top_k=3), 4000
    log_p = _joint(model, sampler)
    one = example([], [4])
    prompt = prompts(
        [one] * rows, given=[1] * rows, inputs=0, targets=4, lengths=[4] * rows
    )
    speculate = speculator(model, sampler=sampler, drafts=3, shift=shift)
    done = speculate(prompt, keys(rows))
    found = [tuple(row) for row in done.generated.targets[:, 1:].tolist()]
    assert set(found) <= set(log_p)
    share = np.array([found.count(text) / rows for text in log_p])
    wanted = np.exp(list(log_p.values()))
    assert abs(wanted.sum() - 1) < 1e-5
    error = np.sqrt(wanted * (1 - wanted) / rows)
    assert (abs(share - wanted) <= 4.5 * error).all(), (share, wanted)
    # Some guesses are kept and some are not, or the rule is not tested.
    assert 0.02 < done.accepted.sum() / rows < 1.98


def _joint(model, sampler):
    """Log-probability of each text of three tokens behind `4`."""
    one, out = example([], [4, 4, 4, 4]), {(): 0.0}
    whole = prompts([one], given=[4], inputs=0, targets=4)
    for _ in range(3):
        texts, out = out, {}
        for text, log_p in texts.items():
            targets = np.array([[4, *text, *[4] * (3 - len(text))]], np.int32)
            batch = decoder_batch(whole._replace(targets=targets), bos=BOS)
            scores = jnp.asarray(scorer(model)(batch)[1 + len(text)][None])
            for token, more in enumerate(sampler.log_probabilities(scores)[0]):
                if np.isfinite(more):
                    out[*text, token] = log_p + float(more)
    return out


def test_a_mesh_speculates_the_same(model):
    prompt = jax.tree.map(lambda x: np.concatenate([x[:4], x[:4]]), asked())
    settings = dict(sampler=sampled(temperature=2.0), drafts=4)
    alone = speculator(model, **settings)(prompt, keys(8))
    mesh = jax.make_mesh((2, 2, 1, 2), MESH_AXES, axis_types=(AxisType.Auto,) * 4)
    graph, state = nnx.split(model)
    with jax.set_mesh(mesh):
        state = jax.device_put(state, param_shardings(state, mesh))
        found = speculator(nnx.merge(graph, state), **settings)(prompt, keys(8))
    assert_same(found.generated, alone.generated)
    np.testing.assert_array_equal(found.accepted, alone.accepted)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(drafts=0), "drafts is 0"),
        (dict(sampler=lambda logits, keys: keys), "`greedy` or one made by `sampled`"),
        (dict(eos=32), "eos is 32"),
    ],
)
def test_settings_that_do_not_fit(model, settings, message):
    with pytest.raises(ValueError, match=message):
        speculator(model, **settings)


def test_a_mask_that_is_no_id(model):
    with pytest.raises(ValueError, match="mask is 32"):
        make_speculate(model, sampler=greedy, bos=BOS, eos=None, mask=32)


def test_an_encoder_decoder_has_no_masks_to_draft_from(encoder_decoder):
    with pytest.raises(ValueError, match="never masked in training"):
        inspect.unwrap(speculator)(encoder_decoder.build())

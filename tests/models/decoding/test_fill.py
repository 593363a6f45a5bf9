"""Filling in place, against a loop in Python over whole passes on training's rows."""

import functools
import inspect
import math

import jax
import numpy as np
import pytest
from flax import nnx
from jax.sharding import AxisType

from sightline.models.axes import MESH_AXES, param_shardings
from sightline.models.decoding.canvas import Canvas, block_ends, canvas
from sightline.models.decoding.fill import make_fill
from sightline.models.decoding.generate import make_generate
from sightline.models.decoding.prompts import prompts
from sightline.models.decoding.samplers import greedy, sampled
from sightline.models.rows import (
    Batch,
    Memory,
    Stream,
    decoder_rows,
    encoder_decoder_rows,
)
from sightline.models.vocabulary_loss import logits
from sightline.objectives.example import in_place, sequential
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate

VOCABULARY, BOS, MASK, SLOTS = 32, 1, 2, 10
SHAPES = {
    "decoder": decoder_rows(slots=SLOTS, predictions=1),
    "encoder_decoder": encoder_decoder_rows(
        slots=1, predictions=1, memory_slots=SLOTS, memory_predictions=1
    ),
}
KNOWN = [
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    [13, 14, 15, 16, 17, 18, 19],
    [20, 21, 22, 23, 24, 25, 26, 27, 28],
    [29, 30],
]
OPEN = [
    [0, 1, 1, 0, 1, 1, 0, 0, 1, 1],
    [0, 0, 1, 1, 1, 1, 1],
    [0, 1, 1, 1, 1, 1, 1, 1, 1],
    [0, 0],
]


@functools.cache
def rows(*, block: int | None = None, first: int | None = None) -> Canvas:
    opened = [np.array(row, bool) for row in OPEN]
    tokens = [
        np.where(o, MASK, np.array(row)) for row, o in zip(KNOWN, opened, strict=True)
    ]
    ends = block and [block_ends(len(t), block=block, first=first) for t in tokens]
    return canvas(tokens, open=opened, slots=SLOTS, visible_to=ends or None)


def keys(rows=4, seed=0):
    return jax.random.split(jax.random.key(seed), rows)


@pytest.fixture(autouse=True, scope="module")
def one_device():
    with jax.default_device(jax.devices()[0]):
        yield


@functools.cache
def scorer(architecture: str, model):
    """Log-softmax of every slot of rows packed as for training, [B I V]."""
    shape = SHAPES[architecture]
    place = layout(shape, bos=BOS)
    graph, params = nnx.split(model)

    @jax.jit
    def run(params, batch):
        model = nnx.merge(graph, params)
        hidden = model(batch)
        states = hidden.decoder if hidden.encoder is None else hidden.encoder
        return jax.nn.log_softmax(logits(states, model.projection()))

    def scores(given: Canvas, tokens: np.ndarray) -> np.ndarray:
        examples = []
        for row, size in enumerate(given.lengths.tolist()):
            none = np.zeros(size)
            own = tokens[row, :size]
            positions = given.positions[row, :size]
            examples.append(
                in_place(0, own, positions=positions, targets=none, weights=none)
            )
        batch = collate([[place(e)] for e in examples], shape)
        stream = batch.decoder if batch.encoder is None else batch.encoder
        stream = stream._replace(visible_to=np.array(given.visible_to))
        if batch.encoder is None:
            return np.asarray(run(params, batch._replace(decoder=stream)))
        return np.asarray(run(params, batch._replace(encoder=stream)))

    return scores


def slow(
    scores, given, *, order="certain", per_pass=1, threshold=None, shift=0, eos=None
):
    """Greedy; one row and one slot at a time."""
    tokens, opened = given.tokens.copy(), given.open.copy()
    log_p, filled_in = np.zeros(tokens.shape, np.float32), np.zeros_like(tokens)
    lengths = given.lengths.copy()
    number = 0
    while opened.any():
        number += 1
        share = scores(given._replace(open=opened), tokens)
        for row in np.flatnonzero(opened.any(1)):
            slots = np.flatnonzero(opened[row])
            sees = given.visible_to[row]
            slots = slots[sees[slots] == sees[slots[0]]]
            best = {s: share[row, s - shift].argmax() for s in slots.tolist()}
            sure = {s: share[row, s - shift].max() for s in best}
            if order == "certain":
                slots = sorted(best, key=lambda s: (-sure[s], s))
            more = 0
            while threshold and more < len(slots):
                if sure[int(slots[more])] < math.log(threshold):
                    break
                more += 1
            for s in list(map(int, slots))[: max(per_pass, more)]:
                tokens[row, s], log_p[row, s] = best[s], sure[s]
                filled_in[row, s], opened[row, s] = number, False
            for s in np.flatnonzero((tokens[row] == eos) & (filled_in[row] > 0)):
                if opened[row].any() and not opened[row, :s].any():
                    opened[row] = False
            ends = np.flatnonzero((tokens[row] == eos) & (filled_in[row] > 0))
            if not opened[row].any() and len(ends):
                lengths[row] = ends[0] + 1
    return tokens, log_p, filled_in, lengths


def assert_filled(found, wanted):
    tokens, log_p, filled_in, lengths = wanted
    used = np.arange(tokens.shape[1]) < lengths[:, None]
    np.testing.assert_array_equal(found.lengths, lengths)
    np.testing.assert_array_equal(found.tokens, np.where(used, tokens, 0))
    np.testing.assert_array_equal(found.filled_in, np.where(used, filled_in, 0))
    np.testing.assert_allclose(
        found.log_probabilities, np.where(used, log_p, 0), atol=2e-5
    )


SETTINGS = [
    dict(),
    dict(order="left_to_right", per_pass=2, shift=True),
    dict(per_pass=3, shift=True),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("block", [None, 4])
def test_greedy_is_the_slow_loop(architecture, settings, block):
    model, given = architecture.build(), rows(block=block, first=block and 3)
    found = make_fill(model, sampler=greedy, **settings)(given, keys())
    wanted = slow(scorer(architecture.architecture, model), given, **settings)
    assert_filled(found, wanted)
    np.testing.assert_array_equal(found.passes, wanted[2].max(1))


@pytest.mark.parametrize("order", ["certain", "left_to_right"])
def test_a_pass_fills_what_is_sure(architecture, order):
    """Half of the tokens are as probable: more than one a pass, not all at once."""
    model, given = architecture.build(), rows()
    scores = scorer(architecture.architecture, model)
    median = np.median(slow(scores, given)[1][given.open])
    for per_pass in (1, 2):
        settings = dict(order=order, per_pass=per_pass, threshold=float(np.exp(median)))
        found = make_fill(model, sampler=greedy, **settings)(given, keys())
        assert_filled(found, slow(scores, given, **settings))
    free = given.open.sum(1)
    assert (found.passes < -(-free // 2)).any() and (found.passes > 1).any()


@pytest.mark.parametrize(
    ("settings", "position"),
    [
        (dict(), "relative_bias"),
        (dict(order="left_to_right", per_pass=2, shift=True), "rope"),
        (dict(order="random"), "rope"),
        (dict(threshold=0.2, shift=True), "rope"),
    ],
    ids=str,
)
def test_a_cache_of_earlier_blocks_changes_nothing(decoder, settings, position):
    model, given = decoder.build(position=position), rows(block=4, first=3)
    settings = dict(sampler=sampled(temperature=2.0, top_k=12), **settings)
    whole = make_fill(model, **settings)(given, keys())
    found = make_fill(model, block=4, **settings)(given, keys())
    assert_filled(found, (*whole[:3], whole.lengths))
    # Of blocks 3, 4, 3 or 3, 4 or 3, 4, 2 all but the last are looked at once more.
    np.testing.assert_array_equal(found.passes - whole.passes, [2, 1, 2, 0])


def test_a_cache_may_be_for_wider_blocks(decoder):
    given = rows(block=4, first=3)
    whole = make_fill(decoder.build(), sampler=greedy)(given, keys())
    wider = make_fill(decoder.build(), sampler=greedy, block=9)(given, keys())
    assert_filled(wider, (*whole[:3], whole.lengths))


@pytest.mark.parametrize("block", [None, 1])
def test_where_slots_see_the_past_it_is_generation(decoder, block):
    """Shifted, in blocks of one: the causal model, token by token."""
    model, size = decoder.build(), 8
    texts = [[5, 6, 7], [9], [12, 13]]
    tokens = [np.array([BOS, *t] + [MASK] * (size - len(t))) for t in texts]
    opened = [np.arange(size + 1) > len(t) for t in texts]
    given = canvas(
        tokens,
        open=opened,
        slots=size + 1,
        positions=[np.arange(size + 1)] * 3,
        visible_to=[np.arange(size + 1) + 1] * 3,
    )
    fill = make_fill(model, sampler=greedy, shift=True, block=block)
    found = fill(given, keys(3))
    examples = [
        sequential(
            0, (), t, inputs_positions=(), targets_positions=1 + np.arange(len(t))
        )
        for t in texts
    ]
    prompt = prompts(
        examples, given=[3, 1, 2], inputs=0, targets=size, lengths=[size] * 3
    )
    generate = make_generate(model, sampler=greedy, bos=BOS, eos=None)
    wanted = generate(prompt, keys(3))
    np.testing.assert_array_equal(found.tokens[:, 1:], wanted.targets)
    np.testing.assert_allclose(
        found.log_probabilities[:, 1:], wanted.log_probabilities, atol=2e-5
    )


def test_blocks_see_the_clean_ones_before_them(encoder_decoder):
    """The exact form: decoder slots see their own block, and the encoder before it."""
    model, given = encoder_decoder.build(), rows(block=4, first=3)
    begins = [[0] * 3 + [3] * 4 + [7] * 3] * 4
    graph, params = nnx.split(model)
    own = (np.arange(SLOTS) < given.lengths[:, None]).astype(np.int32)
    begins = (np.array(begins) * own).astype(np.int32)

    @jax.jit
    def run(params, batch):
        model = nnx.merge(graph, params)
        return jax.nn.log_softmax(logits(model(batch).decoder, model.projection()))

    def scores(given, tokens):
        none = np.zeros((4, 1), np.int32)
        # The encoder holds what is final: nothing of the block at work or behind it.
        clean = np.where(given.open, 31, tokens).astype(np.int32)
        stream = Batch(
            _stream(clean, given.positions, 0 * begins, given.visible_to, none)
        ).decoder
        noisy = stream._replace(tokens=tokens, visible_from=begins)
        memory = Memory(np.zeros_like(begins), begins)
        return np.asarray(run(params, Batch(noisy, stream, memory)))

    found = make_fill(model, sampler=greedy, exact=True)(given, keys())
    assert_filled(found, slow(scores, given))


def _stream(tokens, positions, visible_from, visible_to, none):
    return Stream(
        tokens, positions, positions, np.ones_like(tokens), visible_from, visible_to,
        none, none, none.astype(np.float32), none,
    )  # fmt: skip


@pytest.mark.parametrize("block", [None, 4])
def test_a_filled_eos_ends_a_row(decoder, block):
    model, given = decoder.build(), rows(block=4, first=3)
    scores = scorer("decoder", model)
    for order in ("certain", "left_to_right"):
        plain = slow(scores, given, order=order)[0]
        eos = int(plain[2, 5])
        wanted = slow(scores, given, order=order, eos=eos)
        assert 1 < wanted[3][2] <= 6
        fill = make_fill(model, sampler=greedy, order=order, eos=eos, block=block)
        assert_filled(fill(given, keys()), wanted)


def test_a_known_eos_ends_nothing(decoder):
    allowed = np.arange(VOCABULARY) != 8
    settings = dict(sampler=greedy, order="left_to_right")
    plain = make_fill(decoder.build(), allowed=allowed, **settings)(rows(), keys())
    eos = make_fill(decoder.build(), eos=6, **settings)(rows(), keys())
    assert eos.lengths[0] > 4 or 6 in eos.tokens[0, 1:3]
    assert not (plain.tokens[given_open()] == 8).any()


def given_open():
    return rows().open


@pytest.mark.parametrize("block", [None, 4])
def test_pieces_are_what_comes_in_one_go(decoder, block):
    """The same programs: equal bit for bit, not within a tolerance."""
    given = rows(block=4, first=3)
    settings = dict(sampler=sampled(temperature=2.0), per_pass=2, block=block)
    fill = make_fill(decoder.build(), **settings)
    whole = fill(given, keys())
    for passes in (1, 3):
        pieces = list(fill.stream(given, keys(), passes=passes))
        for one, other in zip(pieces[-1].filled, whole, strict=True):
            np.testing.assert_array_equal(one, other)
        assert len(pieces) == -(-whole.passes.max() // passes)
        for piece in pieces:
            done = given.open & ~piece.open
            wanted = np.where(piece.open, given.tokens, whole.tokens)
            np.testing.assert_array_equal(piece.filled.tokens, wanted)
            np.testing.assert_array_equal(piece.filled.filled_in > 0, done)


def test_the_host_may_end_rows(decoder):
    """Text behind a prompt, a block at a time; row 1 ends inside its second block."""
    sizes = [10, 9, 4]
    given = canvas(
        [np.full(size, MASK) for size in sizes],
        open=[np.arange(size) >= 2 for size in sizes],
        slots=SLOTS,
        visible_to=[block_ends(size, block=4, first=2) for size in sizes],
    )
    fill = make_fill(decoder.build(), sampler=greedy, block=4, per_pass=2, pad=31)
    whole, seen = fill(given, keys(3)), []

    def ends(row, generated):
        seen.append((row, len(generated)))
        np.testing.assert_array_equal(
            generated, whole.tokens[row, 2 : 2 + len(generated)]
        )
        return 5 if row == 1 and len(generated) > 5 else None

    *_, last = fill.stream(given, keys(3), ends=ends)
    lengths = np.array([10, 7, 4])
    np.testing.assert_array_equal(last.filled.lengths, lengths)
    used = np.arange(SLOTS) < lengths[:, None]
    np.testing.assert_array_equal(last.filled.tokens, np.where(used, whole.tokens, 31))
    assert not last.open.any()
    assert {(0, 4), (0, 8), (2, 2)} <= set(seen)


def test_random_orders_are_all_equally_likely(decoder):
    """Of three open slots: six orders, 600 rows, each about 100 times."""
    tokens, opened = np.array([5, MASK, MASK, MASK, 7]), np.arange(5) % 4 > 0
    given = canvas([tokens] * 600, open=[opened] * 600, slots=5)
    fill = make_fill(decoder.build(), sampler=greedy, order="random")
    found = fill(given, keys(600)).filled_in[:, 1:4]
    orders, counts = np.unique(found, axis=0, return_counts=True)
    assert len(orders) == 6 and (np.sort(orders, axis=1) == [1, 2, 3]).all()
    assert (abs(counts - 100) < 4.5 * math.sqrt(600 * 5 / 36)).all()


@pytest.mark.parametrize("block", [None, 4])
def test_a_row_depends_on_itself_and_its_key_alone(decoder, block):
    settings = dict(sampler=sampled(temperature=50.0), order="random", block=block)
    fill, given = make_fill(decoder.build(), **settings), rows(block=4)
    order, key = np.array([2, 0, 2, 1]), keys()
    padding = np.arange(SLOTS) >= given.lengths[:, None]
    messy = given._replace(
        tokens=np.where(padding, -7, given.tokens),
        positions=np.where(padding, 10**6, given.positions),
        visible_to=np.where(padding, SLOTS, given.visible_to),
    )
    messy = jax.tree.map(lambda x: x.astype(x.dtype), messy)
    messy = Canvas(*(np.asarray(x, w.dtype) for x, w in zip(messy, given, strict=True)))
    before = fill(given, key)
    after = fill(jax.tree.map(lambda x: x[order], messy), key[order])
    for one, other in zip(after, before, strict=True):
        np.testing.assert_allclose(one, other[order], atol=1e-5)
    others = fill(given, keys(seed=1))
    assert (others.tokens != before.tokens).any(1).tolist() == [1, 1, 1, 0]


def test_what_open_slots_draw_differs_with_slot_and_pass(decoder):
    """Nearly uniform draws: no two slots of a row, in one pass or in two, agree."""
    hot = sampled(temperature=1e4)
    tokens, opened = np.full(SLOTS, MASK), np.ones(SLOTS, bool)
    given = canvas([tokens] * 4, open=[opened] * 4, slots=SLOTS)
    for per_pass in (1, SLOTS):
        fill = make_fill(decoder.build(), sampler=hot, per_pass=per_pass)
        found = fill(given, keys()).tokens
        assert (np.array([len(set(row)) for row in found.tolist()]) > 5).all()


def test_more_slots_than_a_chunk_are_drawn_from(decoder, monkeypatch):
    given = rows()
    whole = make_fill(decoder.build(), sampler=greedy)(given, keys())
    monkeypatch.setattr("sightline.models.decoding.filling._SLOTS", 4)
    traced = lambda logits, keys: greedy(logits, keys)  # noqa: E731 - compiled anew
    found = make_fill(decoder.build(), sampler=traced)(given, keys())
    assert_filled(found, (*whole[:3], whole.lengths))


def test_a_mesh_fills_the_same(decoder, encoder_decoder):
    given = jax.tree.map(lambda x: np.concatenate([x, x]), rows(block=4))
    mesh = jax.make_mesh((2, 2, 1, 2), MESH_AXES, axis_types=(AxisType.Auto,) * 4)
    for tiny, form in ((decoder, dict(block=4)), (encoder_decoder, dict(exact=True))):
        settings = dict(sampler=sampled(temperature=2.0), **form)
        alone = make_fill(tiny.build(), **settings)(given, keys(8))
        graph, state = nnx.split(tiny.build())
        with jax.set_mesh(mesh):
            state = jax.device_put(state, param_shardings(state, mesh))
            found = make_fill(nnx.merge(graph, state), **settings)(given, keys(8))
        assert_filled(found, (*alone[:3], alone.lengths))


def test_block_ends():
    np.testing.assert_array_equal(block_ends(7, block=3), [3, 3, 3, 6, 6, 6, 7])
    np.testing.assert_array_equal(
        block_ends(8, block=3, first=2), [2, 2, 5, 5, 5, 8, 8, 8]
    )
    np.testing.assert_array_equal(block_ends(2, block=3, first=4), [2, 2])


def changed(**fields):
    plain = rows(block=4)
    for name, (place, value) in fields.items():
        array = getattr(plain, name).copy()
        array[place] = value
        plain = plain._replace(**{name: array})
    return plain


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (changed(tokens=((0, 0), 32)), r"tokens\[0, 0\] is 32, .* \[0, 32\)"),
        (changed(lengths=(1, 11)), r"lengths\[1\] is 11; .* \[0, 10\]"),
        (changed(visible_to=((1, 4), 8)), r"visible_to\[1, 4\] is 8; .* \[1, 7\]"),
        (changed(open=((1, 8), True)), r"open\[1, 8\] is set behind the row's 7 slots"),
        (changed(open=((3, 0), True)), r"open\[3, 0\] is set, but with `shift`"),
        (changed(visible_to=((0, 5), 10)), "slot 4 of row 0 sees up to slot 8"),
        (rows(), "slots 0 to 9 of row 0 are a block of 10; set block=10 or more"),
        (rows()._replace(lengths=np.ones(3, np.int32)), r"lengths of a canvas has the"),
    ],
)  # fmt: skip
def test_a_canvas_that_does_not_fit(decoder, given, message):
    fill = make_fill(decoder.build(), sampler=greedy, shift=True, block=4)
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(fill)(given, keys())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(order="certian"), "did you mean 'certain'"),
        (dict(per_pass=0), "per_pass is 0"),
        (dict(threshold=0.0), r"threshold is 0.0; .* \(0, 1\]"),
        (dict(block=0), "block is 0"),
        (dict(exact=True), "exact came with a decoder model"),
        (dict(eos=32), "eos is 32"),
    ],
)
def test_settings_that_do_not_fit(decoder, settings, message):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(make_fill)(decoder.build(), sampler=greedy, **settings)


def test_settings_of_an_encoder_decoder(encoder_decoder):
    with pytest.raises(ValueError, match="block=4 came with an encoder–decoder"):
        make_fill(encoder_decoder.build(), sampler=greedy, block=4)
    with pytest.raises(ValueError, match="exact came with shift"):
        make_fill(encoder_decoder.build(), sampler=greedy, exact=True, shift=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(slots=1), "row 0 has 2 tokens, more than the 1"),
        (dict(open=[np.ones(3, bool)]), "row 0 has 2 tokens and 3 open"),
        (dict(positions=[]), "1 rows of tokens came with 0 of positions"),
    ],
)
def test_texts_that_make_no_canvas(settings, message):
    plain = dict(open=[np.ones(2, bool)], slots=4)
    with pytest.raises(ValueError, match=message):
        canvas([np.array([3, 4])], **{**plain, **settings})


def test_passes_and_thresholds_compile_nothing(decoder):
    traces = []

    def counted(logits, keys):
        traces.append(logits.shape)
        return greedy(logits, keys)

    make_fill(decoder.build(), sampler=counted)(rows(), keys())
    once = len(traces)
    make_fill(decoder.build(), sampler=counted, per_pass=3, threshold=0.5)(
        rows(), keys()
    )
    assert once and len(traces) == once

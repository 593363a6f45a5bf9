"""The audit finds nothing where nothing is wrong, and every fault that is planted."""

import numpy as np
import pytest

from sightline.diagnosis.audit import audit as auditing
from sightline.diagnosis.audit.audit import SHAPES
from sightline.diagnosis.audit.specimens import blocks, specimen
from sightline.objectives import registry, sentence_pair
from sightline.objectives.example import in_place
from sightline.tasks.rows import layout, packing

pytestmark = pytest.mark.optimised

ALL = registry.objectives()

UNIFORM = {"rate": "uniform", "masked_share": 1.0, "random_share": 0.0}


def check(audited, vocab, objective, *, seed=0):
    _, shape, measure = audited
    rng = np.random.default_rng(seed)
    ids = vocab.special_ids
    rows = auditing.specimen_rows(objective, ALL, shape, ids, rng)
    return auditing.check(rows, shape, ids, measure, rng)


@pytest.mark.parametrize("name", ALL)
def test_nothing_leaks_and_nothing_is_blind(name, audited, vocab):
    leaks, blind, pairs = check(audited, vocab, ALL[name])
    assert (leaks, blind) == (0, 0)
    assert pairs > 10_000


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("span_corruption", {"density": 0.5, "mean_span": 3.0, "mode": "X"}),
        ("masked", UNIFORM),
        ("masked", {"shift": True}),
        ("masked", {**UNIFORM, "shift": True}),
        ("block_diffusion", {"block": 5}),
        ("block_diffusion", {"block": 5, "form": "exact"}),
        ("permuted", {"selection": "all"}),
        ("reconstruction", {"infill": 0.2, "delete": 0.2, "shuffle": 1.0}),
        ("sentence_pair", {"unit": "sentence", "other": 0.5, "swapped": 0.0}),
        ("sentence_pair", {"unit": "sentence", "further": 0.3, "distance": 8}),
    ],
)
def test_nor_with_other_settings(name, bound, audited, vocab):
    objective = ALL[name].with_settings(**bound)
    if bound.get("form") == "exact" and audited[0] == "decoder":
        pytest.skip("one stream cannot hold it, and it says so")
    assert check(audited, vocab, objective, seed=1)[:2] == (0, 0)


@pytest.mark.parametrize("form", ["canvas", "exact"])
@pytest.mark.parametrize("block", [5, 32])
def test_a_block_that_sees_the_next(block, form, audited, vocab, monkeypatch):
    """The layout lets each slot see one block more than the Example says."""
    architecture, _, _ = audited
    if form == "exact" and architecture == "decoder":
        pytest.skip("one stream cannot hold it, and it says so")
    field = "inputs_sees" if form == "canvas" else "targets_sees"
    plain = layout.lay_out

    def wider(examples, shape, *, bos):
        def further(example):
            sees = getattr(example, field)
            most = len(example.inputs)
            return example._replace(**{field: np.minimum(sees + block, most)})

        return plain([further(example) for example in examples], shape, bos=bos)

    monkeypatch.setattr(layout, "lay_out", wider)
    objective = ALL["block_diffusion"].with_settings(block=block, form=form)
    assert check(audited, vocab, objective)[0] > 20


def test_a_clean_text_that_holds_the_block(audited, vocab):
    """Each noisy block sees its own clean text too: the objective itself leaks."""
    architecture, _, _ = audited
    if architecture == "decoder":
        pytest.skip("one stream cannot hold it, and it says so")
    plain = ALL["block_diffusion"].with_settings(block=5, form="exact")

    def shown(text, rng, ids, **settings):
        example = plain.function(text, rng, ids, **settings)
        sees = np.minimum(example.targets_sees + 5, len(example.inputs))
        return example._replace(targets_sees=sees.astype(np.int32))

    planted = registry.Objective("planted", 31, shown, plain.measure, plain.settings)
    assert check(audited, vocab, planted)[0] > 0


def test_a_shifted_answer_that_is_not_hidden(audited, vocab):
    """Half of the selected tokens show themselves, and are declared hidden."""
    plain = ALL["masked"].with_settings(shift=True, masked_share=0.5, random_share=0.0)
    settings = {**plain.settings, "rate": 0.5}
    planted = registry.Objective("planted", 1, plain.function, plain.measure, settings)
    assert check(audited, vocab, planted)[0] > 0


def test_an_interval_off_by_one(audited, vocab, widen):
    """Each target slot sees one slot more: the next, or the neighbour's first."""
    widen(1)
    leaks, blind, _ = check(audited, vocab, ALL["causal"])
    assert leaks > 20 and blind == 0


def test_an_interval_too_narrow(audited, vocab, widen):
    """By two slots: what a slot holds itself reaches it past attention."""
    widen(-2)
    leaks, blind, _ = check(audited, vocab, ALL["causal"])
    assert leaks == 0 and blind > 20


def test_a_neighbour_in_the_row(audited, vocab, see_the_row):
    see_the_row()
    assert check(audited, vocab, ALL["masked"])[0] > 20


def test_a_label_visible_in_the_prefix(audited, vocab):
    """Every slot of a block that sees itself predicts the token at its right."""

    def shifted(text, rng, ids):
        tokens = text.tokens
        weights = np.append(np.ones(len(tokens) - 1), 0)
        return in_place(
            30,
            tokens,
            positions=1 + np.arange(len(tokens)),
            targets=np.append(tokens[1:], 0),
            weights=weights,
        )

    def measure(tokens):
        return ALL["masked"].measure(tokens, rate=1.0, shift=False)

    planted = registry.Objective("planted", 30, shifted, measure, {})
    leaks, blind, _ = check(audited, vocab, planted)
    assert leaks > 20 and blind == 0


def test_an_answer_that_is_not_hidden(audited, vocab):
    """The last permuted target stands among the inputs, at a place of no text."""
    plain = ALL["permuted"]

    def shown(text, rng, ids, **settings):
        example = plain.function(text, rng, ids, **settings)
        return example._replace(
            inputs=np.append(example.inputs, example.targets[-1:]),
            inputs_positions=np.append(example.inputs_positions, np.int32(0)),
            inputs_targets=np.append(example.inputs_targets, np.int32(0)),
            inputs_weights=np.append(example.inputs_weights, np.float32(0)),
        )

    def measure(tokens, selection, k):
        lengths = plain.measure(tokens, selection, k)
        return lengths and lengths._replace(inputs=lengths.inputs + 1)

    planted = registry.Objective("planted", 31, shown, measure, plain.settings)
    leaks, _, _ = check(audited, vocab, planted)
    assert leaks > 0


def test_cross_attention_into_the_neighbours_memory(audited, vocab, monkeypatch):
    architecture, _, _ = audited
    plain = packing.collate

    def wider(rows, shape):
        batch = plain(rows, shape)
        if batch.memory is not None:
            batch.memory.memory_to[:] += (batch.memory.memory_to > 0).astype(np.int32)
        return batch

    monkeypatch.setattr(auditing, "collate", wider)
    leaks, blind, _ = check(audited, vocab, ALL["prefix"])
    assert blind == 0
    assert (leaks > 0) == (architecture == "encoder_decoder")


def test_a_row_that_reaches_into_the_next_is_seen(audited, vocab):
    """Slots of another row are columns of the matrices too."""
    _, shape, _ = audited
    rng = np.random.default_rng(0)
    ids = vocab.special_ids
    rows = auditing.specimen_rows(ALL["causal"], ALL, shape, ids, rng)
    may = auditing.declared(rows, shape)
    streams = [shape.decoder] + ([shape.encoder] if shape.encoder else [])
    assert len(may) == 2 * sum(stream.slots for stream in streams)
    decoder = shape.decoder.slots
    assert not may[:decoder, decoder : 2 * decoder].any()


@pytest.mark.parametrize(
    "block, form, blocks_of_most",
    [
        (16, "canvas", 2),
        (32, "canvas", 2),
        (200, "canvas", 1),
        (1, "exact", 24),
        (64, "exact", 2),
        (200, "exact", 1),
    ],
)
def test_specimens_have_a_second_block(block, form, blocks_of_most, vocab):
    """At the setting that is audited, if it fits the rows: every one of them."""
    objective = ALL["block_diffusion"].with_settings(block=block, form=form)
    rng, ids = np.random.default_rng(0), vocab.special_ids
    made = [specimen(objective, SHAPES["encoder_decoder"], ids, rng) for _ in range(20)]
    counts = [blocks(one.coded) for one in made]
    assert max(counts) == blocks_of_most
    assert min(counts) >= min(2, blocks_of_most)
    causal = specimen(ALL["causal"], SHAPES["decoder"], ids, rng)
    assert blocks(causal.coded) == 0


@pytest.mark.parametrize("kind", ["other", "further", "swapped"])
def test_specimens_are_pairs_of_sentences(kind, vocab, monkeypatch):
    """Most of them, of each kind: else the audit would look at the fall-back."""
    rates = dict.fromkeys(("other", "further", "swapped"), 0.0) | {kind: 0.5}
    objective = ALL["sentence_pair"].with_settings(unit="sentence", **rates)
    found, plain = [], sentence_pair.matched_pairs

    def watched(*args, **given):
        found.append(plain(*args, **given))
        return found[-1]

    monkeypatch.setattr(sentence_pair, "matched_pairs", watched)
    rng = np.random.default_rng(0)
    shape = SHAPES["decoder"]
    for _ in range(100):
        specimen(objective, shape, vocab.special_ids, rng)
    assert sum(pair is not None for pair in found) > 60

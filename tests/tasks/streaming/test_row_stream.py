"""A stream is a function of its plan, and goes on from any position."""

import dataclasses
import itertools
import json

import jax
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.examples.example_stream import mixed_examples
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.task_windows import WHOLE, DocumentShard
from sightline.tasks.rows.batches import batches
from sightline.tasks.streaming.chunks import LocalMaker, Plan
from sightline.tasks.streaming.row_stream import RowStream, start_of
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked

SMALL = {"train_documents": 6, "validation_documents": 3, "most_sections": 5}
SHAPES = {
    "decoder": decoder_rows(slots=48, predictions=40),
    "encoder_decoder": encoder_decoder_rows(
        slots=48, predictions=48, memory_slots=40, memory_predictions=40
    ),
}
NAMES = ("causal", "masked", "span_corruption", "permuted", "sentence_pair")


def digest(batch):
    return hash(b"".join(array.tobytes() for array in jax.tree.leaves(batch)))


def plan(rates, shape="decoder", *, batch_rows=4, seed=3, shard=WHOLE, schedule=()):
    named = {f"policies.{name}": rate for name, rate in rates.items()}
    changes = {
        step: {"rates": {f"policies.{name}": rate for name, rate in later.items()}}
        for step, later in schedule
    }
    mixture = Mixture(
        "m",
        named,
        vocabulary="policies",
        settings={"policies": SMALL},
        schedule=changes,
    )
    return Plan(mixture, SHAPES[shape], batch_rows, seed, shard)


def read(of, count, position=None):
    """Digests of batches, each with the position before it, through JSON."""
    stream = RowStream(of, position or start_of(of), LocalMaker(of))
    found = []
    position = stream.position()
    for batch in itertools.islice(stream, count):
        found.append((digest(batch), json.loads(json.dumps(position))))
        position = stream.position()
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_the_rows_are_those_of_the_mixed_examples_packed(shape):
    """One engine: what studies and measurements read is what a run trains on."""
    of = plan({"causal": 2, "masked": 1}, shape)
    vocab = vocabulary("policies")
    slow = batches(
        mixed_examples(of.mixture, of.rows, seed=of.seed),
        of.rows,
        batch_rows=of.batch_rows,
        ids=vocab.special_ids,
        vocabulary_size=vocab.size,
    )
    expected = [digest(batch) for batch in itertools.islice(slow, 40)]
    assert [found for found, _ in read(of, 40)] == expected


def test_settings_change_with_the_batch_that_a_schedule_names():
    """Read from the rows alone: of a full row, the share of tokens that predict."""
    of = plan({"masked": 1})
    later = {"settings": {"masked": {"rate": 0.5, "random_share": 0.0}}}
    mixture = dataclasses.replace(of.mixture, schedule={3: later})
    of = dataclasses.replace(of, mixture=mixture)
    stream = RowStream(of, start_of(of), LocalMaker(of))
    shares = []
    for batch in itertools.islice(stream, 60):
        used = int((batch.decoder.segment_ids > 0).sum())
        shares.append(int((batch.decoder.loss_weights > 0).sum()) / used)
    # Rows that are open at step 3 hold Examples of both settings.
    assert max(shares[:3]) < 0.2 and min(shares[45:]) > 0.4
    found = read(of, 12)
    assert read(of, 6, found[6][1]) == found[6:]


rates = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 5), min_size=1)


@settings(max_examples=15, deadline=None)
@given(
    rates,
    st.lists(st.tuples(st.integers(1, 9), rates), max_size=2, unique_by=lambda x: x[0]),
    st.sampled_from(sorted(SHAPES)),
    st.integers(1, 6),
    st.integers(0, 29),
    st.integers(0, 2**63),
)
def test_a_stream_cut_anywhere_goes_on_as_if_it_had_not(
    first, later, shape, batch_rows, cut, seed
):
    of = plan(first, shape, batch_rows=batch_rows, seed=seed, schedule=sorted(later))
    whole = read(of, 30)
    assert read(of, 30 - cut, whole[cut][1]) == whole[cut:]


def test_the_schedule_decides_what_is_drawn():
    of = plan({"causal": 1}, schedule=[(20, {"masked": 1})], batch_rows=8)
    stream = RowStream(of, start_of(of), LocalMaker(of))
    objectives = [
        set(batch.decoder.objective_ids[batch.decoder.loss_weights > 0].tolist())
        for batch in itertools.islice(stream, 120)
    ]
    assert all(found == {0} for found in objectives[:20])
    # Open rows are filled up with what comes; none stays open for ever.
    assert all(found == {1} for found in objectives[100:])


def test_shards_divide_the_documents_of_an_epoch():
    read_by = []
    for index in range(3):
        of = plan({"causal": 1}, shard=DocumentShard(index, 3))
        source = LocalMaker(of).source(0)
        blocks = [source.block(0, number) for number in range(source.blocks)]
        read_by.append({document for block in blocks for document in block.documents})
    assert all(len(documents) == 2 for documents in read_by)
    assert set.union(*read_by) == set(range(6))


def test_another_number_of_hosts_is_refused_with_the_reason():
    of = plan({"causal": 1}, shard=DocumentShard(1, 2))
    position = read(of, 2)[1][1]
    for shard, message in (
        (WHOLE, r"in 2 part\(s\).*record the mixture \(sightline record\)"),
        (DocumentShard(0, 2), "part 1 of the text, and this is part 0"),
    ):
        other = plan({"causal": 1}, shard=shard)
        with pytest.raises(ValueError, match=message):
            RowStream(other, position, LocalMaker(other))
    with pytest.raises(ValueError, match=r"not of policies\.masked"):
        read(plan({"masked": 1}, shard=DocumentShard(1, 2)), 1, position)
    with pytest.raises(ValueError, match="too few to divide among 9 parts"):
        read(plan({"causal": 1}, shard=DocumentShard(0, 9)), 1)


def test_text_that_is_too_short_is_refused():
    mixture = Mixture(
        "m",
        {"policies.causal": 1},
        vocabulary="policies",
        settings={"policies": SMALL},
    )
    of = Plan(mixture, SHAPES["decoder"], 2, 0, WHOLE)
    maker = LocalMaker(of)
    source = maker.source(0)
    source._cut = lambda length: []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalMaker, "source", lambda self, task: source)
        with pytest.raises(ValueError, match="finds no text in policies:train"):
            next(iter(RowStream(of, start_of(of), maker)))


def test_batches_do_not_share_memory():
    of = plan({"causal": 1})
    one, two = itertools.islice(RowStream(of, start_of(of), LocalMaker(of)), 2)
    assert not np.shares_memory(one.decoder.tokens, two.decoder.tokens)

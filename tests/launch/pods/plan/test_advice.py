"""What would make a step fit, by figures worked out by hand."""

import dataclasses

import pytest

from sightline.launch.pods.plan.advice import advice
from sightline.launch.pods.plan.state import Held, State
from sightline.models.rows import decoder_rows

GIB = 2**30
STATE = State((Held("p", GIB, GIB),), (Held("o", 3 * GIB // 2, 3 * GIB),), GIB // 2)
"""Held: 3 GiB, of which a third is what gradients take."""


@pytest.fixture(scope="module")
def program(make_program):
    """Of eight rows on one device."""
    return make_program("decoder")


def told(program, word, *, needed=11 * GIB, capacity=8 * GIB):
    lines = advice(program, STATE, needed, capacity)
    return [line for line in lines if word in line]


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        # 8 GiB of temporaries: 3 + 1 + 8 / n.
        (8 * GIB, "train.microbatches=2 (now 1): about 4.0 GiB less"),
        (8 * GIB - 1, "train.microbatches=4 (now 1): about 6.0 GiB less"),
        (5 * GIB, "train.microbatches=8 (now 1): about 7.0 GiB less"),
        (5 * GIB - 1, None),
    ],
)
def test_the_fewest_parts_of_the_batch_that_leave_room(program, capacity, said):
    found = told(program, "microbatches", capacity=capacity)
    assert [line.startswith(said) for line in found] == ([True] if said else [])


def test_parts_are_of_the_rows_that_a_device_has_now(make_program):
    """Two rows of eight are left: of four devices, or of four parts that there are."""
    spread = make_program("decoder", mesh={"data": 2, "fsdp": 2})
    assert not told(spread, "microbatches=", capacity=8 * GIB - 1)
    parts = make_program("decoder", microbatches=4)
    assert told(parts, "train.microbatches=8 (now 4): about 4.0 GiB less")
    assert not told(parts, "microbatches=", capacity=8 * GIB - 1)


def test_a_state_that_alone_is_too_large_has_no_temporaries(program):
    found = advice(program, STATE, 2 * GIB, 4 * GIB)
    assert any("microbatches=2 (now 1): about 0.0 GiB" in line for line in found)


@pytest.mark.parametrize(
    ("predictions", "chunk", "vocabulary", "saved"),
    [
        # Eight rows of 32 Ki logits: 1 MiB a slot.
        (2048, None, 2**15, "loss_chunk=512 (now None): 1.5 GiB less"),
        (2048, 1024, 2**15, "loss_chunk=512 (now 1024): 0.5 GiB less"),
        (2048, 512, 2**15, None),
        (512, None, 2**15, None),
        # A quarter of a GiB is too little.
        (768, None, 2**15, None),
        (769, None, 2**15, "loss_chunk=512 (now None): 0.3 GiB less"),
    ],
)
def test_logits_that_a_chunk_of_the_loss_saves(
    program, predictions, chunk, vocabulary, saved
):
    changed = dataclasses.replace(
        program,
        model=dataclasses.replace(program.model, loss_chunk=chunk),
        vocabulary_size=vocabulary,
        rows=decoder_rows(slots=2048, predictions=predictions),
    )
    found = told(changed, "loss_chunk")
    assert [saved in line for line in found] == ([True] if saved else [])


def test_logits_divide_among_devices_along_tensor_and_rows(make_program):
    sizes = {
        "vocabulary_size": 2**15,
        "rows": decoder_rows(slots=2048, predictions=2048),
    }
    for mesh in ({"tensor": 4}, {"data": 2, "fsdp": 2}):
        program = dataclasses.replace(make_program("decoder", mesh=mesh), **sizes)
        assert "0.4 GiB less" in told(program, "loss_chunk")[0]


def test_repeated_parameters_may_be_split(make_program):
    """1 GiB of parameters and 1.5 of the optimiser, kept by each of four: a quarter."""
    program = make_program("decoder", mesh={"data": 4, "fsdp": 2})
    assert (
        "MeshShape.fsdp=8, data=1 (now 2 and 4): about 1.9 GiB"
        in (told(program, "MeshShape.fsdp")[0])
    )
    twice = make_program("decoder", mesh={"data": 2})
    assert (
        "MeshShape.fsdp=2, data=1 (now 1 and 2): about 1.2 GiB"
        in (told(twice, "MeshShape.fsdp")[0])
    )
    assert not told(make_program("decoder", mesh={"fsdp": 8}), "MeshShape.fsdp")


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        (11 * GIB, "2 × the devices (2) along fsdp: 4 row(s) each, and 1/2 of"),
        (11 * GIB // 2, "2 × the devices (2) along fsdp"),
        (4 * GIB, "4 × the devices (4) along fsdp: 2 row(s) each, and 1/4 of"),
        (11 * GIB // 8, "8 × the devices (8) along fsdp: 1 row(s) each"),
        (GIB, "MeshShape.sequence or MeshShape.tensor above 1 and 1: a row is"),
    ],
)
def test_more_devices_are_a_power_of_two_up_to_the_rows(program, capacity, said):
    assert advice(program, STATE, 11 * GIB, capacity)[-1].startswith(said)


def test_recomputing_all_is_told_unless_it_is_done(program):
    def remat(policy):
        model = dataclasses.replace(program.model, remat=policy)
        return dataclasses.replace(program, model=model)

    assert told(remat("attention"), "remat='full' (now 'attention')")
    assert not told(remat("full"), "remat")

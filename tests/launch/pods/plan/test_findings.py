"""What is found wasteful in a plan: from how much on, and how much it says it is."""

import dataclasses

import pytest

from sightline.launch.pods.plan import memory_findings
from sightline.launch.pods.plan.finding import SMALL, Evidence, last_names, size_text
from sightline.launch.pods.plan.findings import findings, uncounted
from sightline.launch.pods.plan.hlo import Collective
from sightline.launch.pods.plan.hlo_text import parse
from sightline.launch.pods.plan.loops import Loop
from sightline.launch.pods.plan.memory_findings import (
    narrow_heads,
    padded_vocabulary,
    replicated_optimizer,
    replicated_parameters,
    scores_in_memory,
    wide_matmuls,
)
from sightline.launch.pods.plan.state import Held, State
from sightline.launch.pods.plan.traffic_findings import (
    gathers_as_sums,
    gathers_outside_layers,
    rematerialised,
    resharding_in_layers,
    summed_weights,
)
from sightline.models.rows import encoder_decoder_rows

EMPTY = (
    "HloModule m\n\nENTRY %main (a: f32[]) -> f32[] {\n"
    "  ROOT %a = f32[] parameter(0)\n}\n"
)
MB = 10**6


@dataclasses.dataclass(frozen=True)
class OnTpu(Evidence):
    """Evidence of a program for TPUs, which no test needs to have."""

    @property
    def on_tpu(self) -> bool:
        return True


@pytest.fixture(scope="module")
def program(make_program):
    return make_program("decoder", mesh={"fsdp": 2, "tensor": 2})


@pytest.fixture
def evidence(program):
    """`evidence(**changes)`: of a program in which nothing is wasteful."""

    def make(kind=Evidence, changed=program, **changes):
        base = {
            "program": changed,
            "state": State((), (), 0),
            "module": parse(EMPTY),
            "collectives": [],
            "log": "",
        }
        return kind(**{**base, **changes})

    return make


def collective(kind="all-gather", size=100 * MB, **changes):
    base = Collective(
        kind=kind,
        bytes=size,
        role="layers",
        loops=(),
        axes=("fsdp",),
        members=(0, 1),
        crosses_slices=False,
        dtype="bf16",
        op_name="jit(step)/layers/dot",
        placed=0,
        name="x",
    )
    return dataclasses.replace(base, **changes)


def message(found):
    (one,) = found
    return one.message


def test_nothing_is_found_where_nothing_is(evidence):
    assert findings(evidence()) == []


@pytest.mark.parametrize(
    ("size", "text"),
    [(10**9, "1.00 GB"), (10**9 - 1, "1,000.00 MB"), (1_234_567, "1.23 MB")],
)
def test_sizes_are_told_in_megabytes_up_to_one_gigabyte(size, text):
    assert size_text(size) == text


def test_an_operation_is_told_by_the_end_of_its_name():
    assert last_names("jit(f)/a/b/c") == "b/c"
    assert last_names("c") == "c" and last_names("") == "an operation without a name"


@pytest.mark.parametrize(
    ("find", "field"),
    [(replicated_parameters, "parameters"), (replicated_optimizer, "optimizer")],
)
def test_large_arrays_that_lie_whole_on_every_device(
    evidence, find, field, make_program
):
    """Those of half or more devices, small ones and the smallest are left out."""
    held = (
        Held("half", 40 * MB, 80 * MB),
        Held("small", SMALL, SMALL),
        Held("one", 20 * MB, 20 * MB),
        Held("two", 30 * MB, 30 * MB),
    )
    state = dataclasses.replace(State((), (), 0), **{field: held})
    said = message(find(evidence(state=state)))
    assert said.startswith("50.00 MB of ") and "2 array(s), the largest two." in said
    alone = make_program("decoder")
    assert find(evidence(changed=alone, state=state)) == []


def test_gathers_outside_of_layers_count_from_a_fiftieth_on(evidence):
    outside = collective(role="outside", loops=(Loop("x", 2, "w"),), size=50 * MB)

    def found(*others):
        return gathers_outside_layers(evidence(collectives=[outside, *others]))

    assert "100.00 MB a step, 2% of all" in message(found(collective(size=4900 * MB)))
    assert found(collective(size=4901 * MB)) == []
    exchanged = collective("all-to-all", role="loss chunks", size=60 * MB)
    both = found(exchanged)
    assert "160.00 MB a step, 100% of all collectives" in message(both)
    assert "the largest 50.00 MB × 2 in layers/dot (outside)" in message(both)
    assert both[0].remedy == ""
    (largest,) = found(dataclasses.replace(exchanged, bytes=101 * MB))
    assert "(loss chunks)" in largest.message and "loss_chunk" in largest.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "all-reduce"},
        {"role": "layers"},
        {"size": SMALL},
    ],
)
def test_what_is_no_gather_outside_of_layers(evidence, changes):
    one = collective(**{"role": "outside", **changes})
    assert gathers_outside_layers(evidence(collectives=[one])) == []


def test_weights_that_are_summed_forwards(evidence):
    summed = collective("all-reduce", loops=(Loop("layers", 3, "w"),))
    smaller = collective("all-reduce", size=20 * MB, op_name="f/other/add")
    said = message(summed_weights(evidence(collectives=[smaller, summed])))
    assert said.startswith("320.00 MB a step") and "most in layers/dot" in said
    for changes in (
        {"op_name": "jit(step)/transpose(jvp())/dot"},
        {"op_name": ""},
        {"axes": ("data",)},
        {"role": "outside"},
        {"bytes": SMALL},
        {"kind": "reduce-scatter"},
    ):
        one = dataclasses.replace(summed, **changes)
        assert summed_weights(evidence(collectives=[one])) == [], changes


def test_gathers_that_are_sums_are_counted_over_all_runs(evidence):
    one = collective("all-reduce", placed=SMALL // 4, loops=(Loop("layers", 4, "w"),))
    assert "16.78 MB a step" in message(gathers_as_sums(evidence(collectives=[one])))
    fewer = dataclasses.replace(one, loops=(Loop("layers", 3, "w"),))
    assert gathers_as_sums(evidence(collectives=[fewer])) == []
    other = dataclasses.replace(one, kind="reduce-scatter")
    assert gathers_as_sums(evidence(collectives=[other])) == []


def test_what_layers_lay_out_anew_is_summed_by_kind(evidence):
    moved = [
        collective("all-to-all", 8 * MB),
        collective("collective-permute", 5 * MB),
        collective("all-to-all", 4 * MB),
    ]
    product = collective("collective-permute", 90 * MB, op_name="layers/dot_general")
    outside = collective("all-to-all", 90 * MB, role="outside")
    said = message(
        resharding_in_layers(evidence(collectives=[*moved, product, outside]))
    )
    assert "exchange 12.00 MB of all-to-all, 5.00 MB of collective-permute" in said
    assert resharding_in_layers(evidence(collectives=[*moved[:2], product])) == []


LOG = (
    "W0000 spmd_partitioner.cc:668] [SPMD] Involuntary full rematerialization. The "
    "compiler cannot go from sharding A to B for HLO operation %gather.1 = "
    'f32[8,64]{1,0} gather(%a), metadata={op_name="jit(f)/take"}\n'
)


def test_arrays_that_are_gathered_whole_are_counted_and_the_first_is_named(evidence):
    said = message(rematerialised(evidence(log=LOG + LOG.replace("f32", "bf16"))))
    assert "gathers 2 array(s) whole" in said
    assert said.endswith("; the first is f32[8,64] of jit(f)/take.")
    bare = LOG.replace("op_name", "other")
    assert "f32[8,64] of gather.1." in message(rematerialised(evidence(log=bare)))
    short = "Involuntary full rematerialization of who knows what"
    assert message(rematerialised(evidence(log=short))).endswith("lay them out anew.")


def with_model(program, **changes):
    model = dataclasses.replace(program.model, **changes)
    return dataclasses.replace(program, model=model)


def test_lanes_that_narrow_heads_leave_idle(evidence, program):
    def found(head_dim, kind=OnTpu):
        changed = with_model(program, head_dim=head_dim)
        return narrow_heads(evidence(kind, changed))

    assert "head_dim=64 fills 50% of the 128 lanes" in message(found(64))
    assert "head_dim=192 fills 75%" in message(found(192))
    assert found(128) == found(256) == found(64, Evidence) == []


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1000, "1,000 tokens in 2 part(s) are filled up to 1,024: 2% of the head's"),
        (1280, None),
        (32128, None),  # 128 of 32,128 are less than a hundredth
        (12672, "12,672 tokens in 2 part(s) are filled up to 12,800: 1%"),
    ],
)
def test_a_vocabulary_is_filled_up_on_every_device(evidence, program, size, said):
    changed = dataclasses.replace(program, vocabulary_size=size)
    found = padded_vocabulary(evidence(OnTpu, changed))
    assert (said in message(found)) if said else found == []
    assert padded_vocabulary(evidence(changed=changed)) == []


def test_float32_is_told_on_a_tpu_only(evidence, program):
    wide, narrow = (
        with_model(program, compute_dtype=dtype) for dtype in ("float32", "bfloat16")
    )
    assert len(wide_matmuls(evidence(OnTpu, wide))) == 1
    assert wide_matmuls(evidence(OnTpu, narrow)) == []
    assert wide_matmuls(evidence(changed=wide)) == []


SCORES = """HloModule m

FileNames
1 "/x/models/attention/reference.py"
2 "/x/attention/models/mlp.py"

FunctionNames
1 "scores"

FileLocations
1 {file_name_id=1 function_name_id=1 line=1}
2 {file_name_id=2 function_name_id=1 line=1}

StackFrames
1 {file_location_id=1 parent_frame_id=0}
2 {file_location_id=2 parent_frame_id=0}

%fused (p: f32[8]) -> f32[8] {
  %p = f32[8] parameter(0)
  ROOT %e = f32[8] exponential(%p), metadata={stack_frame_id=1}
}

ENTRY %main (a: f32[8]) -> f32[8] {
  %a = f32[8] parameter(0)
  ROOT %s = TYPE HOW, metadata={stack_frame_id=FRAME}
}
"""


@pytest.mark.parametrize(
    ("type_text", "how", "frame", "found"),
    [
        # Of 4 rows, 4 heads, 64 × 64: no fewer elements than one layer has.
        ("f32[4,4,64,64]", "negate(%a)", 1, False),  # of a small size in bytes
        ("f32[4,64,64,64]{3,2,1,0}", "negate(%a)", 1, False),
        ("f32[64,64,32,64]", "negate(%a)", 1, True),
        ("pred[64,64,64,64]", "negate(%a)", 1, True),
        ("f32[64,64,32,64]", "fusion(%a), kind=kLoop, calls=%fused", 2, True),
        ("f32[64,64,32,64]", "negate(%a)", 2, False),  # of another file
        ("f32[64,64,32,64]{3,2,1,0:S(1)}", "negate(%a)", 1, False),
        ("f32[63,63,33,64]", "negate(%a)", 1, False),  # long in one direction only
    ],
)
def test_scores_are_large_and_long_in_two_directions(
    evidence, type_text, how, frame, found
):
    text = SCORES.replace("TYPE", type_text).replace("HOW", how)
    module = parse(text.replace("FRAME", str(frame)))
    assert bool(scores_in_memory(evidence(module=module))) == found


@pytest.mark.parametrize(
    ("mesh", "changes", "least", "fewer", "narrow"),
    [
        # Rows × heads × queries × keys of a device.
        ({"fsdp": 2, "tensor": 2}, {}, "4,4,64,64", "3,4,64,64", "8,8,63,64"),
        ({"tensor": 8}, {}, "8,1,64,64", "7,1,64,64", "9,1,63,64"),
        (
            {"data": 2, "fsdp": 2, "sequence": 2},
            {"microbatches": 2},
            *("1,8,32,64", "1,7,32,64", "1,16,31,64"),
        ),
    ],
)
def test_scores_are_no_fewer_than_those_of_a_layer(
    evidence, make_program, monkeypatch, mesh, changes, least, fewer, narrow
):
    monkeypatch.setattr(memory_findings, "SMALL", 0)
    program = make_program("decoder", mesh=mesh, **changes)

    def found(sizes, program=program):
        text = SCORES.replace("TYPE", f"f32[{sizes}]").replace("HOW", "negate(%a)")
        module = parse(text.replace("FRAME", "1"))
        return bool(scores_in_memory(evidence(changed=program, module=module)))

    assert found(least) and not found(fewer) and not found(narrow)


def test_the_shorter_of_two_streams_says_how_many_scores_there_are(
    evidence, make_program, monkeypatch
):
    monkeypatch.setattr(memory_findings, "SMALL", 0)
    rows = encoder_decoder_rows(
        slots=64, predictions=64, memory_slots=32, memory_predictions=8
    )
    program = dataclasses.replace(make_program("encoder_decoder"), rows=rows)
    text = SCORES.replace("TYPE", "f32[8,8,32,32]").replace("HOW", "negate(%a)")
    module = parse(text.replace("FRAME", "1"))
    assert scores_in_memory(evidence(changed=program, module=module))


def test_scores_are_summed_over_all_runs_and_the_largest_is_shown(evidence):
    """Of 32 MiB, three times, and of 64 once."""
    head, _ = SCORES.split("ENTRY")
    scores = "f32[64,64,32,SIZE] negate(%a), metadata={stack_frame_id=1}"
    small, large = scores.replace("SIZE", "64"), scores.replace("SIZE", "128")
    body = (
        "%body (a: f32[8]) -> f32[8] {\n  %a = f32[8] parameter(0)\n"
        f"  ROOT %x = {small}\n}}\n\n%cond (q: f32[8]) -> pred[] {{\n"
        "  %q = f32[8] parameter(0)\n  ROOT %t = pred[] constant(true)\n}\n\n"
    )
    loop = "f32[8] while(%a), condition=%cond, body=%body, backend_config="
    loop += '{"known_trip_count":{"n":"3"}}'
    entry = "ENTRY %main (a: f32[8]) -> f32[8] {\n  %a = f32[8] parameter(0)\n"
    entry += f"  %w = {loop}\n  ROOT %s = {large}\n}}\n"
    said = message(scores_in_memory(evidence(module=parse(head + body + entry))))
    assert "scores of 167.77 MB a step, 67.11 MB at once (f32[64,64,32,128])" in said


def test_loops_and_kernels_that_say_nothing_are_counted(evidence):
    text = (
        "HloModule m\n\n%b (p: f32[]) -> f32[] {\n  %p = f32[] parameter(0)\n"
        '  ROOT %k = f32[] custom-call(%p), custom_call_target="tpu_custom_call"\n}\n\n'
        "%c (q: f32[]) -> pred[] {\n  %q = f32[] parameter(0)\n"
        "  ROOT %t = pred[] constant(true)\n}\n\nENTRY %main (a: f32[]) -> f32[] {\n"
        "  %a = f32[] parameter(0)\n"
        "  %w = f32[] while(%a), condition=%c, body=%b\n"
        "  ROOT %v = f32[] while(%w), condition=%c, body=%b\n}\n"
    )
    kernels, loops = uncounted(evidence(module=parse(text)))
    assert kernels.message.startswith("1 kernel(s) do not say") and "k." in kernels[1]
    assert loops.message.startswith("2 loop(s) do not show")


def test_errors_that_the_compiler_logs_are_told_up_to_three(evidence):
    lines = [f"E0000 00:00:17.1   2 a.cc:{n}] broken {'x' * 300}" for n in range(5)]
    told = findings(evidence(log="\n".join(lines)))
    assert [one.message[:14] for one in told] == [f"a.cc:{n}] broken" for n in range(3)]
    assert {len(one.message) for one in told} == {200}

"""A report of a compiled step: sums of its parts, and of what they take."""

from typing import NamedTuple

import jax
import pytest

from sightline.launch.pods.plan.compiled import Array, Compiled, Memory, Refusal
from sightline.launch.pods.plan.devices import Cluster, Speeds
from sightline.launch.pods.plan.model_operations import model_operations
from sightline.launch.pods.plan.report import report

GIB = 2**30
LOOP = """HloModule m

%body (p: (s32[], f32[256])) -> (s32[], f32[256]) {
  %p = (s32[], f32[256]) parameter(0)
  %n = s32[] get-tuple-element(%p), index=0
  %x = f32[256] get-tuple-element(%p), index=1
  %s = f32[256] all-reduce(%x), replica_groups={{0,1}}, to_apply=%add
  ROOT %t = (s32[], f32[256]) tuple(%n, %s)
}

%cond (q: (s32[], f32[256])) -> pred[] {
  %q = (s32[], f32[256]) parameter(0)
  ROOT %true = pred[] constant(true)
}

ENTRY %main (a: f32[256], k: s32[]) -> f32[256] {
  %a = f32[256] parameter(0)
  %k = s32[] parameter(1)
  %t = (s32[], f32[256]) tuple(%k, %a)
  %g = f32[512] all-gather(%a), replica_groups={{0,1}}, dimensions={0}
  %h = f32[512] all-reduce(%g), replica_groups={{0,1}}, to_apply=%add
  %o = f32[256] all-reduce(%a), replica_groups={{0,1}}, to_apply=%add
  ROOT %w = (s32[], f32[256]) while(%t), condition=%cond, body=%body, KNOWN
}
""".replace("KNOWN", 'backend_config={"known_trip_count":{"n":"3"}}')


class Chip(NamedTuple):
    """What a report reads of a device."""

    process_index: int


@pytest.fixture(scope="module")
def program(make_program):
    return make_program("encoder_decoder", mesh={"fsdp": 2})


def cluster(capacity=GIB, speeds=None):
    return Cluster("two", [Chip(0), Chip(1)], 2, capacity, speeds)


MEMORY = Memory(GIB, 700, 300, 5000, 60, 9000)
NEEDED = GIB + 400 + 5000 + 60
SPEEDS = Speeds(flops=1e18, hbm=1e18, link=2000.0, dcn=1e18)


def made(program, *, price=None, **given):
    compiled = Compiled(LOOP, MEMORY, None, "", 2.5)
    return report(program, cluster(**given), compiled, price=price)


@pytest.fixture(scope="module")
def plan(program):
    """Of a step that just fits."""
    return made(program, capacity=NEEDED, speeds=SPEEDS, price=1.5)


def test_memory_is_the_sum_of_its_parts(plan):
    parts = plan["memory"]
    assert (parts["outputs"], parts["temporaries"], parts["code"]) == (400, 5000, 60)
    given = sum(parts[k] for k in ("parameters", "optimizer", "batch", "padding"))
    assert given == GIB and sum(parts.values()) == plan["needed"] == NEEDED
    assert plan["needed_at_most"] == NEEDED + 4000


def test_a_step_fits_up_to_the_last_byte(program, plan):
    assert plan["fits"] is True and "advice" not in plan
    short = made(program, capacity=NEEDED - 1, speeds=SPEEDS)
    assert short["fits"] is False and short["advice"]
    assert short["dollars_per_billion_tokens"] is None


def test_collectives_are_summed_by_place_and_kind_the_largest_first(plan):
    rows = plan["collectives"]
    assert [(row["role"], row["kind"]) for row in rows] == [
        ("outside", "all-reduce"),
        *(("a loop", "all-reduce"), ("outside", "all-gather")),
    ]
    first, loop, gather = rows
    # An array of 2 KiB and one of 1; a sum sends what a gather does twice.
    assert (first["bytes"], first["sent"], first["runs"]) == (3072, 3072, 2)
    assert (first["largest"], first["link"], first["axes"]) == (2048, "ici", "fsdp")
    assert (loop["bytes"], loop["sent"], loop["runs"]) == (3 * 1024, 3 * 1024, 3)
    assert (gather["bytes"], gather["sent"]) == (2048, 1024)


def test_speeds_are_of_the_slowest_part(program, plan):
    """7 KiB over one link of 2,000 bytes a second; a batch has 8 × (64 + 64) slots."""
    seconds = (3072 + 3072 + 1024) / 2000
    assert (plan["bound"], plan["step_seconds"]) == ("ici", pytest.approx(seconds))
    assert plan["tokens_per_step"] == 1024 and plan["slots"] == [64, 64]
    assert plan["tokens_per_second"] == pytest.approx(1024 / seconds)
    assert plan["hosts"] == 2
    assert plan["tokens_per_second_per_host"] == pytest.approx(512 / seconds)
    # Two chips of 1.50 dollars, for 1e9 tokens.
    hours = 1e9 / (1024 / seconds) / 3600
    assert plan["dollars_per_billion_tokens"] == pytest.approx(3.0 * hours)
    asked = model_operations(program) / 2  # of each device
    assert plan["model_operations"] == asked
    assert plan["mfu"] == pytest.approx(asked / seconds / 1e18)


def test_a_refusal_leaves_to_temporaries_what_the_state_does_not_take(program):
    def refused(needed, **more):
        arrays = tuple(Array(n, "f32[1]", "") for n in range(9))
        refusal = Refusal(needed, 1000, "m", arrays, **more)
        compiled = Compiled("", None, refusal, "", 1.0)
        return report(program, cluster(), compiled, price=None)

    plan = refused(GIB, at_least=True)
    assert sum(plan["memory"].values()) == plan["needed"] == GIB
    assert (plan["fits"], plan["capacity"], plan["at_least"]) == (False, 1000, True)
    assert [one["bytes"] for one in plan["largest"]] == [0, 1, 2, 3, 4]
    less = refused(10)
    assert less["memory"]["temporaries"] == 0 and not less["at_least"]


def test_a_report_says_what_was_planned(program, plan):
    assert plan["mesh"] == {"data": 1, "fsdp": 2, "sequence": 1, "tensor": 1}
    assert (plan["devices"], plan["chips"], plan["topology"]) == (2, 2, "two")
    assert plan["compiler"]["seconds"] == 2.5 and not plan["compiler"]["cached"]
    leaves = jax.tree.leaves(program.abstract_state.params)
    assert plan["parameters"] == sum(leaf.size for leaf in leaves)
    assert (plan["batch_rows"], plan["microbatches"]) == (8, 1)

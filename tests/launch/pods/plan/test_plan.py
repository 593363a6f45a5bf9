"""The planner from settings to a screen, and what it keeps."""

import dataclasses
import io
import json
import math
import os
import re

import jax
import numpy as np
import pytest
from rich.console import Console

from sightline.launch.pods.plan import advice as advices, memory_findings
from sightline.launch.pods.plan.advice import advice
from sightline.launch.pods.plan.cache import Cache, content_key
from sightline.launch.pods.plan.captured import captured_stderr, compiler_errors
from sightline.launch.pods.plan.compile import (
    compile_step,
    memory_of,
    refusal_of,
)
from sightline.launch.pods.plan.compiled import Array, Compiled, Memory, Refusal
from sightline.launch.pods.plan.devices import Cluster, Speeds
from sightline.launch.pods.plan.finding import Evidence
from sightline.launch.pods.plan.findings import findings
from sightline.launch.pods.plan.hlo import collectives
from sightline.launch.pods.plan.hlo_text import parse
from sightline.launch.pods.plan.report import report
from sightline.launch.pods.plan.search import described, ranked, settings_to_try
from sightline.launch.pods.plan.state import Held, state_of
from sightline.launch.terminal.plan import plan_screen, ranking
from sightline.launch.training.mesh import MeshShape
from sightline.objectives.errors import UsageError

SPEEDS = Speeds(flops=100e12, hbm=1e12, link=50e9, dcn=5e9)
FULL = """RESOURCE_EXHAUSTED: E1000: CompileTimeHbmOom: XLA:TPU compile permanent \
error. Ran out of memory in memory space hbm. Used 20.50G of 15.75G hbm. Exceeded \
hbm capacity by 4.75G.

Total hbm usage >= 10.25G:
    reserved        258.00M

  Largest program allocations in hbm:

  1. Size: 1.50G
     Operator: op_name="jit(train_step)/layers/dot" source_file="x.py" source_line=3
     Shape: bf16[4,8]{1,0:T(8,128)}
     Unpadded size: 1.00G
     ==========================

  2. Size: 512.00M
     Shape: f32[16]{0:T(1024)}
     XLA label: Argument 0 index {}
"""


@pytest.fixture(scope="module")
def program(make_program):
    return make_program("decoder", mesh={"fsdp": 2})


@pytest.fixture(scope="module")
def here(program):
    return Cluster("two CPUs", list(program.mesh.devices.flat), 2, 10**9, SPEEDS)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def compiled(program, here, cache):
    return compile_step(program, here, cache=cache)


def test_memory_is_what_the_compiler_says(program, here, compiled):
    analysis = program.compile_train_step().memory_analysis()
    plan = report(program, here, compiled, price=None)
    assert plan["memory"]["temporaries"] == analysis.temp_size_in_bytes
    assert plan["needed"] == sum(plan["memory"].values())
    arguments = analysis.argument_size_in_bytes
    assert plan["needed"] >= arguments + analysis.temp_size_in_bytes
    assert plan["needed_at_most"] == plan["needed"]  # XLA:CPU reports what it assigns
    assert plan["fits"]


class Analysis:
    """What XLA:TPU says of a step of 64 MiB of state that it changes in place."""

    argument_size_in_bytes = 80
    output_size_in_bytes = 65
    alias_size_in_bytes = 64
    temp_size_in_bytes = 300
    generated_code_size_in_bytes = 5
    peak_memory_in_bytes = 281


def test_what_a_tpu_needs_is_what_is_assigned_and_not_what_is_reported():
    memory = memory_of(Analysis(), "tpu")
    assert (memory.temporaries, memory.reported) == (200, 300)
    assert (memory.peak, memory.at_most) == (281 + 5, 281 + 5 + 100)
    small = Analysis()
    small.peak_memory_in_bytes = 900  # most of it on the chip
    assert memory_of(small, "tpu").temporaries == 300
    memory = memory_of(Analysis(), "cpu")
    assert (memory.temporaries, memory.peak) == (300, memory.at_most)


def test_a_tpu_compiler_that_states_no_peak_is_no_program_that_fits():
    silent = Analysis()
    silent.peak_memory_in_bytes = 0
    with pytest.raises(AssertionError):
        memory_of(silent, "tpu")


def test_a_report_is_plain_values_with_consistent_figures(program, here, compiled):
    plan = report(program, here, compiled, price=2.0)
    assert json.loads(json.dumps(plan)) == plan
    assert plan["step_seconds"] == max(plan["seconds"].values())
    assert plan["tokens_per_second"] == pytest.approx(8 * 64 / plan["step_seconds"])
    hours = 1e9 / plan["tokens_per_second"] / 3600
    assert plan["dollars_per_billion_tokens"] == pytest.approx(2 * 2.0 * hours)
    assert 0 < plan["mfu"] < 1
    assert {row["axes"] for row in plan["collectives"]} == {"fsdp"}


def test_the_same_step_is_compiled_once(program, here, cache, compiled):
    again = compile_step(program, here, cache=cache)
    assert again == dataclasses.replace(compiled, cached=True)


def test_a_damaged_result_is_dropped(tmp_path, compiled):
    cache = Cache(tmp_path)
    cache.write("k", compiled)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert cache.read("k") is None
    assert list(tmp_path.iterdir()) == []
    assert cache.read("other") is None


def test_a_key_is_of_everything_that_was_compiled(program, monkeypatch):
    mesh = program.mesh
    keys = {content_key("a", "x", mesh), content_key("b", "x", mesh)}
    keys.add(content_key("a", "y", mesh))
    monkeypatch.setenv("XLA_FLAGS", "--other")
    keys.add(content_key("a", "x", mesh))
    assert len(keys) == 4


def test_results_are_kept_with_their_refusals(tmp_path):
    refused = Compiled(
        "", None, Refusal(2, 1, "m", (Array(1, "f32[1]", "o"),)), "", 1.5
    )
    made = Compiled("text", Memory(1, 2, 3, 4, 5, 6), None, "log", 2.5)
    cache = Cache(tmp_path)
    for result in (refused, made):
        cache.write("k", result)
        assert cache.read("k") == dataclasses.replace(result, cached=True)


def test_the_compilers_refusal_is_read():
    refusal = refusal_of(FULL)
    assert refusal is not None
    assert (refusal.needed, refusal.capacity) == (int(20.5 * 2**30), int(15.75 * 2**30))
    assert refusal.largest == (
        Array(3 * 2**29, "bf16[4,8]", "jit(train_step)/layers/dot"),
        Array(2**29, "f32[16]", ""),
    )
    alone = FULL.replace("258.00M\n", "258.00M\n    arguments       0B\n")
    assert refusal_of(alone) == dataclasses.replace(refusal, at_least=True)
    one = "RESOURCE_EXHAUSTED: Allocation (size=99) would exceed memory (size=9) :: x"
    assert refusal_of(one) == Refusal(99, 9, one, at_least=True)
    assert refusal_of("INTERNAL: Used 20.50G of 15.75G hbm") is None
    assert refusal_of("RESOURCE_EXHAUSTED: quota") is None


def test_what_does_not_fit_explains_itself(program, here):
    refusal = refusal_of(FULL)
    plan = report(program, here, Compiled("", None, refusal, "", 1.0), price=None)
    assert (plan["fits"], plan["needed"]) == (False, int(20.5 * 2**30))
    text = shown(plan_screen(plan))
    assert "DOES NOT FIT: 20.50 GiB a device, 4.75 too many" in text
    assert "remat='full'" in text and "microbatches=" in text
    assert "bf16[4,8] of jit(train_step)/layers/dot" in text


def test_what_fits_the_compiler_may_not_fit_the_device(program, here, compiled):
    small = dataclasses.replace(here, capacity=1000)
    plan = report(program, small, compiled, price=None)
    assert not plan["fits"] and plan["advice"]


def test_advice_is_enough_by_its_own_estimate(program):
    state = state_of(program)
    held = state.parameter_bytes + state.optimizer_bytes + state.batch
    lines = advice(program, state, held + 4000, held + held // 3 + 2100)
    assert any("train.microbatches=2 (now 1)" in line for line in lines)
    assert not any("fsdp=" in line for line in lines)


@pytest.mark.parametrize(
    ("slices", "sizes"), [(1, "fsdp=8, data=1"), (2, "fsdp=4, data=2"), (4, None)]
)
def test_advice_keeps_parameters_in_their_slice(
    make_program, monkeypatch, slices, sizes
):
    program = make_program("decoder", mesh={"data": 4, "fsdp": 2})
    indices = np.repeat(np.arange(slices), 8 // slices)
    monkeypatch.setattr(advices, "slice_indices", lambda mesh: indices)
    found = [
        line
        for line in advice(program, state_of(program), 2, 1)
        if line.startswith("MeshShape.fsdp=")
    ]
    assert [line.split(" (")[0] for line in found] == (
        [f"MeshShape.{sizes}"] if sizes else []
    )


def shown(renderable) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_plan_fits_a_screen(program, here, compiled):
    text = shown(plan_screen(report(program, here, compiled, price=1.0)))
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 80
    for word in ("FITS", "MFU", "activations", "all-gather", "tokens/s", "$"):
        assert word in text


def test_without_speeds_or_capacity_nothing_is_made_up(program, here, compiled):
    unknown = dataclasses.replace(here, capacity=None, speeds=None)
    plan = report(program, unknown, compiled, price=1.0)
    assert "step_seconds" not in plan and plan["capacity"] is None
    assert plan["fits"] is None and "advice" not in plan
    assert "not known" in shown(plan_screen(plan))
    assert "not known" in shown(ranking([plan]))


def evidence(program, compiled, **changes) -> Evidence:
    module = parse(compiled.hlo)
    fields = {
        "program": program,
        "state": state_of(program),
        "module": module,
        "collectives": collectives(module, program.mesh),
        "log": "",
    }
    return Evidence(**{**fields, **changes})


def kinds(found) -> set[str]:
    return {one.kind for one in findings(found)}


def test_a_small_clean_program_has_no_findings(program, compiled):
    assert kinds(evidence(program, compiled)) == set()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"state": {"parameters": 1}}, "replicated parameters"),
        ({"state": {"optimizer": 1}}, "unsharded optimiser state"),
        (
            {
                "log": "W1 spmd_partitioner.cc:668] [SPMD] Involuntary full "
                "rematerialization. ... for HLO operation %gather = f32[8,64]{1,0} "
                'gather(%a), metadata={op_name="jit(f)/take"}'
            },
            "involuntary full rematerialization",
        ),
        ({"log": "E0000 00:00:1.2   77 compiler.cc:5] it broke"}, "compiler"),
        ({"collectives": {"kind": "all-gather", "role": "outside"}}, "gathers outside"),
        (
            {"collectives": {"kind": "all-to-all", "role": "layers"}},
            "resharding inside",
        ),
        (
            {"collectives": {"kind": "all-reduce", "op_name": "jit(f)/jvp()/dot"}},
            "all-reduces in the forward pass",
        ),
        (
            {"collectives": {"kind": "all-reduce", "placed": 2**28}},
            "gathers as all-reduces",
        ),
    ],
)
def test_each_finding_is_found(program, compiled, changes, kind):
    base = evidence(program, compiled)
    if "state" in changes:
        held = (Held("x", 2**26, 2**26),)
        state = dataclasses.replace(base.state, **dict.fromkeys(changes["state"], held))
        changes = {"state": state}
    if "collectives" in changes:
        one = dataclasses.replace(
            base.collectives[0],
            **{"bytes": 2**28, "role": "layers", **changes["collectives"]},
        )
        changes = {"collectives": [one]}
    found = kinds(evidence(program, compiled, **changes))
    assert any(name.startswith(kind) for name in found), found


def test_the_scores_of_the_reference_are_found(program, compiled, monkeypatch):
    """Of any size, here, where all are small: with slots in two directions."""
    monkeypatch.setattr(memory_findings, "SMALL", 0)
    base = evidence(program, compiled)
    (finding,) = memory_findings.scores_in_memory(base)
    sizes = re.search(r"\[([\d,]+)\]", finding.message)
    assert sizes is not None
    dimensions = sorted(map(int, sizes[1].split(",")))
    assert dimensions[-2] >= program.rows.decoder.slots


def test_known_noise_is_no_error():
    noise = "E0000 00:00:1795731735.1   25617 common_lib.cc:526] INVALID_ARGUMENT: x"
    assert compiler_errors(noise) == []
    assert compiler_errors("E0000 00:00:17.1   2 a.cc:5] broken") == ["a.cc:5] broken"]


def test_a_failure_keeps_what_the_compiler_printed(capfd):
    with pytest.raises(RuntimeError) as error, captured_stderr():
        os.write(2, b"E0000 00:00:17.1   2 a.cc:5] the cause\n")
        raise RuntimeError("failed")
    assert error.value.__notes__ == ["a.cc:5] the cause"]
    assert capfd.readouterr().err == ""


def settings(program, **changes):
    base = {
        "model": program.model,
        "mesh": MeshShape(fsdp=2),
        "batch_rows": 8,
        "microbatches": 1,
    }
    return {**base, **changes}


def test_a_search_tries_what_can_work(program):
    cluster = Cluster("eight", list(range(8)), 8, None, None)
    given = settings(program, mesh=MeshShape(fsdp=8))
    tried = settings_to_try(given, cluster)
    assert tried[0] == given
    seen = set()
    for one in tried[1:]:
        mesh = one["mesh"]
        assert mesh.data * mesh.fsdp * mesh.sequence * mesh.tensor == 8
        assert one["batch_rows"] % (mesh.data * mesh.fsdp * one["microbatches"]) == 0
        assert program.model.kv_heads % mesh.tensor == 0
        seen.add((mesh, one["model"].remat, one["microbatches"]))
    assert len(seen) == len(tried) - 1
    assert {remat for _, remat, _ in seen} >= {"none", "full"}
    assert {mesh.tensor for mesh, *_ in seen} == {1, 2, 4, 8}


@pytest.mark.parametrize(
    ("mesh", "message"),
    [(MeshShape(data=3), "asks for 3 devices, and there are 8"), (None, "clip_norm")],
)
def test_a_search_says_what_is_wrong_with_what_was_given(program, mesh, message):
    cluster = Cluster("eight", list(range(8)), 8, None, None)
    given = settings(program)
    del given["mesh"]

    def plan(one):
        assert one["mesh"] == MeshShape(data=8)  # train's own
        raise UsageError("clip_norm")

    with pytest.raises(UsageError, match=message):
        tried = settings_to_try(given | ({"mesh": mesh} if mesh else {}), cluster)
        ranked(plan, tried, most=3)


def test_a_search_ranks_where_no_speeds_are_known(program):
    def plan(one):
        compiler = {"seconds": 1.0, "cached": False}
        return {"fits": True, "needed": one["needed"], "compiler": compiler}

    shown_steps: list[str] = []
    tried = [settings(program, needed=needed) for needed in (2, 1)]
    reports = ranked(plan, tried, most=2, show=shown_steps.append)
    assert [one["needed"] for one in reports] == [1, 2]
    assert "best" not in shown_steps[1] and "0 min left" in shown_steps[1]


def test_a_search_keeps_slices_apart(program):
    cluster = Cluster("eight", list(range(8)), 8, None, None)
    mesh = MeshShape(data=2, fsdp=4, slices=2)
    tried = settings_to_try(settings(program, mesh=mesh), cluster)
    assert all(one["mesh"].data % 2 == 0 for one in tried)
    assert {one["mesh"].slices for one in tried} == {2}


def test_a_ranking_puts_what_fits_first(program):
    def planned(name, **rest):
        base = {"mesh": {"fsdp": 8}, "remat": name, "microbatches": 1, "capacity": 100}
        compiler = {"seconds": 120.0, "cached": name == "slow"}
        return {**base, "compiler": compiler, **rest}

    plans = {
        1: planned("slow", fits=True, needed=5, step_seconds=2.0, bound="hbm"),
        2: planned("fast", fits=True, needed=9, step_seconds=1.0, bound="hbm"),
        3: planned("near", fits=False, needed=110, step_seconds=0.1, bound="hbm"),
        4: planned("far", fits=False, needed=900),
    }

    def plan(one):
        if one["number"] not in plans:
            raise UsageError("does not divide")
        return plans[one["number"]]

    tried = [settings(program, number=number) for number in (4, 5, 3, 1, 2)]
    shown_steps: list[str] = []
    reports = ranked(plan, tried, most=9, show=shown_steps.append)
    # One result of an earlier run says nothing of how long others take.
    assert shown_steps[0] == "setting 1 of 5: fsdp 2, remat none"
    assert shown_steps[-1] == (
        "setting 4 of 4: fsdp 2, remat none (best 2,000.0 ms; 2 min left)"
    )
    assert [one["remat"] for one in reports] == ["fast", "slow", "near", "far"]
    assert "fast" in shown(ranking([one | {"mfu": 0.5} for one in reports]))


def test_a_search_stays_near_the_best(program):
    """Of 100 settings the fastest is three steps away, and each step is faster."""
    cluster = Cluster("eight", list(range(8)), 8, None, None)
    tried = settings_to_try(settings(program, mesh=MeshShape(data=-1)), cluster)
    assert tried[0]["mesh"] == MeshShape(data=8)  # once, not also as the rest
    assert len(tried) == 100
    policies, planned = ["none", "mlp", "attention", "qkv", "full"], []

    def plan(one):
        planned.append(one)
        steps = [
            abs(math.log2(one["mesh"].data) - 2),
            abs(policies.index(one["model"].remat) - 2),
            math.log2(one["microbatches"] * one["mesh"].tensor * one["mesh"].sequence),
        ]
        found = {"fits": True, "needed": 1, "step_seconds": 1 + sum(steps)}
        return found | {"compiler": {"seconds": 1.0, "cached": False}}

    assert ranked(plan, tried, most=14)[0]["step_seconds"] == 1
    assert len(planned) == 14 and planned[0] == tried[0]
    assert len({described(one) for one in planned}) == 14
    with pytest.raises(UsageError, match="--most is 0"):
        ranked(plan, tried, most=0)


def test_devices_of_this_process_are_a_cluster():
    from sightline.launch.pods.plan.devices import cluster
    from sightline.launch.pods.plan.names import Emulated, Here

    assert cluster(Here()).chips == len(jax.devices())
    found = cluster(Emulated(4))
    assert (found.chips, found.capacity, found.speeds) == (4, None, None)

"""A plan on one screen: verdict, figures and units, from a report written by hand."""

import re

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.terminal.plan import GIB, plan_screen, ranking

UNITS = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def collective(number, **changes):
    return {
        **{"role": f"role {number}", "axes": "fsdp", "link": "ici", "kind": "gather"},
        **{"runs": 10, "largest": 2_500_000, "bytes": 3 * 10**9, "sent": 10**9},
        **changes,
    }


@pytest.fixture(scope="module")
def report():
    return {
        "mesh": {"data": 1, "fsdp": 4, "tensor": 2},
        "slots": [512, 1024],
        "microbatches": 1,
        "architecture": "encoder_decoder",
        "parameters": 85_800_000,
        "batch_rows": 2048,
        "remat": "full",
        "topology": "v5p-16",
        "chips": 8,
        "needed": 12 * GIB,
        "capacity": 16 * GIB,
        "fits": True,
        "at_least": False,
        "tokens_per_step": 1_048_576,
        "step_seconds": 0.25,
        "hosts": 1,
        "dollars_per_billion_tokens": None,
        "bound": "ici",
        "tokens_per_second": 4_194_304.0,
        "tokens_per_second_per_host": 900_000.0,
        "mfu": 0.425,
        "memory": {"parameters": 2 * GIB, "padding": -1, "temporaries": GIB // 2},
        "seconds": {"compute": 0.1, "hbm": 1.5, "ici": 0.25, "dcn": 0.0},
        "operations": 3.5e12,
        "model_operations": 2e12,
        "traffic": 4.5e9,
        "collectives": [
            collective(0),
            collective(1, link="dcn", sent=5 * 10**8),
            collective(2),
        ],
        "compiler": {"cached": False, "seconds": 12.3},
    }


def screen(printed, report):
    return printed(lambda console: console.print(plan_screen(report)))


@hypothesis.given(st.integers(1, 10**12) | st.sampled_from([999_499, 999_500, 10**6]))
@hypothesis.example(999_950)
@hypothesis.example(999_999_999)
@hypothesis.settings(max_examples=25, deadline=None)
def test_a_number_of_parameters_is_short_and_right(printed, report, count):
    text = screen(printed, report | {"parameters": count})
    told = re.search(r"of ([\d.,]+) ?([kMBT]?) ?parameters", text)
    assert told is not None, text.splitlines()[0]
    shown = float(told[1].replace(",", "")) * UNITS[told[2]]
    assert shown == pytest.approx(count, rel=5e-3)
    assert len(told[1]) <= 5


def test_what_is_planned_is_told_with_the_axes_that_are_used(printed, report):
    first, second, *_ = screen(printed, report).splitlines()
    assert first == (
        "encoder–decoder of 85.8 M parameters, 2,048 rows of 512 + 1,024 slots, "
        "remat full"
    )
    assert second == "on v5p-16, 8 chips: fsdp 4, tensor 2"
    alone = report | {"mesh": {"data": 1}, "microbatches": 4}
    first, second, *_ = screen(printed, alone).splitlines()
    assert "slots in 4 parts, remat" in first and second.endswith(": one device")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "FITS: 12.00 of 16.00 GiB a device (75%)"),
        (
            {"fits": False, "needed": 20 * GIB},
            "DOES NOT FIT: 20.00 GiB a device, 4.00 too many (of 16.00)",
        ),
        (
            {"fits": False, "needed": 18 * GIB, "at_least": True},
            "DOES NOT FIT: at least 18.00 GiB a device, 2.00 too many (of 16.00)",
        ),
        ({"capacity": None}, "needs 12.00 GiB a device; its capacity is not known"),
    ],
)
def test_the_verdict_says_by_how_much(printed, report, changes, verdict):
    assert verdict in screen(printed, report | changes).splitlines()


def test_speed_has_what_bounds_it_and_what_it_costs(printed, report):
    text = " ".join(screen(printed, report).split())
    assert (
        "1,048,576 tokens a step, at least 250.0 ms each, bound by ICI: at most "
        "4,194,304 tokens/s, 42.5% MFU the data path delivers up to 900,000 tokens/s "
        "to each of 1 host "
    ) in text
    dear = report | {"dollars_per_billion_tokens": 1234.5, "hosts": 2}
    text = " ".join(screen(printed, dear).split())
    assert "42.5% MFU, at least $1,234.50 a billion tokens the" in text
    assert "to each of 2 hosts " in text


def test_without_speeds_none_are_told(printed, report):
    unknown = {k: v for k, v in report.items() if k not in ("step_seconds", "seconds")}
    text = screen(printed, unknown)
    assert "1,048,576 tokens a step; no speeds are known of these devices" in text
    assert "A step takes at least" not in text
    # Of what does not fit, nobody asks how fast it is.
    assert "no speeds" not in screen(printed, unknown | {"fits": False})


def test_memory_and_times_are_told_by_part(printed, report):
    rows = [line.split() for line in screen(printed, report).splitlines()]
    joined = [" ".join(row) for row in rows]
    for memory, time in (
        ("parameters 2.000", "compute 100.0 ms 3.5 TFLOP (model 2.0)"),
        ("padding of these 0.000", "HBM 1.500 s 4.5 GB moved"),
        ("activations etc. 0.500", "ICI 250.0 ms 2.00 GB sent"),
    ):
        assert f"{memory} {time}" in joined
    assert any(line.startswith("HBM peak 12.000") for line in joined)
    assert not any(line.startswith("DCN ") for line in joined)  # no time, no row


def test_the_largest_collectives_are_told_and_the_rest_is_summed(printed, report):
    many = [collective(n, runs=1000 * (n + 1), bytes=n * 10**9) for n in range(11)]
    text = screen(printed, report | {"collectives": many})
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "role 7 fsdp ICI gather 8,000 2.50 7.000" in rows
    assert not any(row.startswith("role 8") for row in rows)
    assert "3 more 30,000 27.000" in rows
    few = screen(printed, report | {"collectives": many[:8]})
    assert "role 7" in few and "more" not in few


def test_what_is_wasteful_has_its_remedy(printed, report):
    arrays = [
        {"bytes": n * GIB, "shape": f"f32[{n}]", "operator": "dot" if n == 3 else ""}
        for n in (4, 3, 2, 1)
    ]
    findings = [
        {"kind": "replicated", "message": "too much.", "remedy": "shard it"},
        {"kind": "compiler", "message": "it said so.", "remedy": ""},
    ]
    told = {"largest": arrays, "advice": ["less"], "findings": findings}
    compiler = {"cached": True, "seconds": 0.4}
    lines = screen(printed, report | told | {"compiler": compiler}).splitlines()
    assert lines[-8:] == [
        "  4.00 GiB: f32[4]",
        "  3.00 GiB: f32[3] of dot",
        "  2.00 GiB: f32[2]",
        "What would save memory (estimated; --search compiles it):",
        "  - less",
        "! replicated: too much. To mend it, shard it.",
        "! compiler: it said so.",
        "in the cache: 0 s",
    ]


def test_plans_are_ranked_with_what_is_known_of_each(report, rows_of):
    over = report | {"fits": False, "needed": 20 * GIB, "mesh": {"data": 1}}
    for name in ("step_seconds", "bound", "mfu"):
        del over[name]
    unknown = report | {"fits": None, "capacity": None, "microbatches": 2}
    found = rows_of(ranking([report, over, unknown]))
    mesh = "fsdp 4, tensor 2"
    assert found == [
        [mesh, "full", "1", "12.00", "yes", "250.0 ms", "ICI", "42.5%"],
        ["one device", "full", "1", "20.00", "4.00 over", "", "", ""],
        [mesh, "full", "2", "12.00", "not known", "250.0 ms", "ICI", "42.5%"],
    ]

"""Tables of timings: quantiles by hand, and ratios of rounds that were run together."""

import statistics

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from sightline.launch.terminal.data_speed import Speed, speed_table, wait_table
from sightline.launch.terminal.timings import (
    attention_table,
    population_table,
    save_table,
    start_table,
    step_table,
)

SECONDS = st.lists(st.floats(0.001, 10), min_size=5, max_size=5)


def quantile(values, share):
    """Between the two values around it, in proportion."""
    ordered = sorted(values)
    below = int(place := share * (len(ordered) - 1))
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def spread(values):
    return [quantile(values, share) for share in (0.5, 0.1, 0.9)]


def near(text, value, places):
    """Whether a figure is the value with so many decimals."""
    figure = text.replace(",", "").removesuffix(" ms").removesuffix("%")
    assert len(figure.partition(".")[2]) == places
    assert float(figure) == pytest.approx(value, abs=0.5001 * 10.0**-places)
    return True


@hypothesis.given(seconds=SECONDS, others=SECONDS)
@hypothesis.settings(max_examples=30, deadline=None)
def test_a_step_is_compared_round_by_round(rows_of, seconds, others):
    """Not median by median: what slows the machine slows both of a round."""
    table = step_table(
        {"mine": np.array(seconds), "theirs": np.array(others)},
        tokens={"mine": 6000.0, "theirs": 2000.0},
        shortest=None,
        reference="theirs",
    )
    mine, theirs = rows_of(table)
    ratio = statistics.median(a / b for a, b in zip(seconds, others, strict=True))
    for text, value in zip(mine[1:4], spread(seconds), strict=True):
        assert near(text, 1e3 * value, 1)
    assert near(mine[4], 6.0 / quantile(seconds, 0.5), 1)
    assert near(mine[5], ratio, 3) and near(mine[6], 3 / ratio, 3)
    assert theirs[5:] == ["1.000", "1.000"] and len(mine) == 7  # no MFU without a peak


def test_attention_that_does_not_run_says_why_beside_what_does(rows_of):
    speeds = {
        "dense": np.array([0.002, 0.004, 0.003]),
        "kernel": np.array([0.001, 0.001, 0.0015]),
        "other": "needs a TPU",
    }
    dense, kernel, other = rows_of(attention_table(speeds, reference="dense"))
    assert dense == ["dense", "3.00", "2.20", "3.80", "1.000", ""]
    assert kernel == ["kernel", "1.00", "1.00", "1.40", "0.500", ""]
    assert other == ["other", "", "", "", "", "needs a TPU"]
    # Nothing is compared with what does not run.
    without = rows_of(attention_table(speeds, reference="other"))
    assert [row[4] for row in without] == ["", "", ""]


def test_proxies_side_by_side_are_compared_with_as_many_one_by_one(rows_of):
    """Four that take twice the time of one are twice as fast."""
    seconds = {1: np.array([0.1, 0.2, 0.4]), 4: np.array([0.2, 0.4, 0.8])}
    one, four = rows_of(population_table(seconds))
    assert one == ["1", "200.0", "120.0", "360.0", "1.00", "1.00"]
    assert four == ["4", "400.0", "240.0", "720.0", "2.00", "2.00"]


def test_the_cost_of_saving_has_shares_and_milliseconds(rows_of):
    costs = {
        "call": np.array([0.5, 1.5, 2.5]),
        "share": np.array([0.001, 0.002, 0.003]),
        "committed": np.array([0.0]),
    }
    table = save_table(costs, period=12_000)
    assert rows_of(table) == [
        ["the steps are held up by a save", "1,500.0 ms", "700.0 ms", "2,300.0 ms"],
        [
            *("lost, of the time between saves (12,000 steps)", "0.20%"),
            *("0.12%", "0.28%"),
        ],
        ["until the checkpoint is on disk", "0.0 ms", "0.0 ms", "0.0 ms"],
    ]


@hypothesis.given(times=st.lists(SECONDS, min_size=4, max_size=4))
@hypothesis.settings(max_examples=30, deadline=None)
def test_a_start_is_compared_as_a_whole_and_told_by_part(rows_of, times):
    cold, warm = ({"whole": np.array(a), "first_step": np.array(b)}
                  for a, b in (times[:2], times[2:]))  # fmt: skip
    table = start_table({"cold": cold, "warm": warm})
    headers = [column.header for column in table.columns]
    assert headers[-2:] == ["ratio", "first-step"]
    first, second = rows_of(table)
    assert first[4] == "1.00"
    for text, value in zip(second[1:4], spread(times[2]), strict=True):
        assert near(text, value, 1)
    pairs = zip(times[2], times[0], strict=True)
    assert near(second[4], statistics.median(a / b for a, b in pairs), 2)
    assert near(second[5], statistics.median(times[3]), 1)


@hypothesis.given(speeds=st.lists(SECONDS, min_size=4, max_size=4))
@hypothesis.settings(max_examples=30, deadline=None)
def test_data_is_compared_by_the_clock_and_by_cpu_time(rows_of, speeds):
    wall, cpu, others, other_cpu = (1e4 * np.array(each) for each in speeds)
    told = {"mine": Speed(wall, cpu), "theirs": Speed(others, other_cpu)}
    mine, theirs = rows_of(speed_table(told, reference="theirs"))
    for text, value in zip(mine[1:4], spread(wall), strict=True):
        assert near(text, value / 1e3, 0)
    assert near(mine[4], statistics.median(cpu) / 1e3, 0)
    assert near(mine[5], statistics.median(wall / others), 2)
    assert near(mine[6], statistics.median(cpu / other_cpu), 2)
    assert theirs[5:] == ["1.00", "1.00"]
    assert len(rows_of(speed_table(told, reference=None))[0]) == 5


def test_waits_are_shares_of_the_time(rows_of):
    shares = np.array([0.0, 0.01, 0.02, 0.03, 0.5])
    table = wait_table({"streaming": shares})
    assert rows_of(table) == [["streaming", "2.00%", "0.40%", "31.20%"]]

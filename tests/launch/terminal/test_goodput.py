"""Where the time of a run went: every part, its share, and what adds up."""

import re

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.runs.goodput import Summary
from sightline.launch.terminal.goodput import MEANING, goodput_line, goodput_table

SECONDS = st.fixed_dictionaries(
    dict.fromkeys(MEANING, st.just(0.0) | st.floats(1, 9e5))
)


def summary(seconds, *, starts=1, lost_steps=0):
    return Summary(seconds, sum(seconds.values()), starts, lost_steps)


@hypothesis.given(seconds=SECONDS)
@hypothesis.settings(max_examples=60, deadline=None)
def test_the_table_accounts_for_all_of_the_wall_time(rows_of, seconds):
    *parts, total = rows_of(goodput_table(summary(seconds)))
    assert [row[0] for row in parts] == [name.replace("_", "-") for name in seconds]
    wall = sum(seconds.values())
    for row, spent in zip(parts, seconds.values(), strict=True):
        assert float(row[1].replace(",", "")) == pytest.approx(spent, abs=0.0501)
        share = 100 * spent / wall if wall else 0
        assert float(row[2].rstrip("%")) == pytest.approx(share, abs=0.00501)
        assert row[3]
    assert total[0] == "wall time"
    assert float(total[1].replace(",", "")) == pytest.approx(wall, abs=0.0501)


@hypothesis.given(seconds=SECONDS)
@hypothesis.settings(max_examples=60, deadline=None)
def test_the_line_has_every_part_that_took_time_the_longest_first(seconds):
    line = goodput_line(summary(seconds))
    told = re.findall(r"([a-z-]+) ([\d.]+)%", line.partition(": ")[2])
    assert {name for name, _ in told} == {
        name.replace("_", "-") for name, spent in seconds.items() if spent
    }
    shares = [float(share) for _, share in told]
    assert shares == sorted(shares, reverse=True)
    wall = sum(seconds.values())
    for name, share in told:
        spent = seconds[name.replace("-", "_")]
        assert float(share) == pytest.approx(100 * spent / wall, abs=0.0501)


def test_a_run_that_has_started_again_says_so():
    seconds = dict.fromkeys(MEANING, 0.0) | {"compute": 900.0, "lost": 1100.0}
    again = goodput_line(summary(seconds, starts=3, lost_steps=1200))
    assert again == (
        "Goodput 45.0% of 2,000 s in 3 starts: lost 55.0%, compute 45.0%; "
        "1,200 steps again."
    )
    once = goodput_line(summary(seconds))
    assert "in 1 start: " in once and "again" not in once
    caption = goodput_table(summary(seconds, starts=3, lost_steps=1200)).caption
    assert caption == "3 start(s), 1,200 step(s) computed again"

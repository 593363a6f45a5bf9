"""The tables of a diagnosis: every row says what the scores and changes say."""

import io
import math

import hypothesis
import hypothesis.strategies as st
import pytest
from rich.console import Console

from sightline.diagnosis.causes.cause import Cause
from sightline.diagnosis.failures.registry import names
from sightline.diagnosis.findings.headlines import headlines
from sightline.diagnosis.findings.severity import fails, reference
from sightline.diagnosis.revision.propose import Change
from sightline.diagnosis.scores.score import Score
from sightline.launch.terminal.diagnosis import cause_table, change_table, score_table

NAMES = names()
SHARES = st.floats(0, 1).map(lambda share: round(share, 3))


def cells(table):
    """The cells of a table as text, row by row."""
    return list(zip(*(column.cells for column in table.columns), strict=True))


def printed(table, width=100):
    console = Console(record=True, file=io.StringIO(), width=width)
    console.print(table)
    return console.export_text()


@st.composite
def scores(draw):
    low, value, high = sorted(draw(st.tuples(SHARES, SHARES, SHARES)))
    return Score(
        failure=draw(st.sampled_from(NAMES)),
        probe=draw(st.sampled_from(["minimal pairs", "block shuffle"])),
        kind=draw(st.sampled_from(["all", "number", "blocks of 2"])),
        metric="accuracy",
        value=value,
        low=low,
        high=high,
        chance=draw(st.none() | st.just(0.5)),
        better=draw(st.sampled_from(["higher", "lower"])),
        mode="causal",
        trained=True,
        baselines=draw(st.dictionaries(st.just("5-gram"), SHARES)),
        items=40,
        documents=40,
    )


@hypothesis.given(st.lists(scores(), max_size=8))
@hypothesis.settings(max_examples=60, deadline=None)
def test_each_main_score_stands_beside_what_it_has_to_beat(measured):
    rows = cells(score_table(measured))
    main = headlines(measured)
    assert len(rows) == len(main)
    probe = None
    for row, score in zip(rows, main, strict=True):
        probe = row[0] or probe  # a name stands for the rows below it
        assert (probe, *row[1:3]) == (score.probe, score.kind, score.metric)
        assert float(row[3].split()[0]) == score.value
        assert ("✗" in row[3]) == fails(score)
        assert [float(end) for end in row[4].split(" – ")] == [score.low, score.high]
        target = reference(score)
        assert row[5] == ("–" if target is None else f"{target:.3f}")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_figure_of_a_score_is_cut(width):
    score = Score(
        *("drift", "future dependence", "sentence_pair", "leaking pairs"),
        *(0.0625, 0.0312, 0.125, 0.5, "lower", "causal", True, {}, 40, 40),
    )
    text = printed(score_table([score]), width)
    for figure in ("0.062", "0.031 – 0.125", "0.500"):
        assert figure in text
    assert max(map(len, text.splitlines())) <= width


def test_a_score_of_nothing_has_no_target():
    nan = math.nan
    score = Score(
        *("drift", "free generation", "all", "contradiction rate"),
        *(nan, nan, nan, 0.5, "lower", "causal", True, {}, 0, 0),
    )
    ((*_, value, _, target),) = cells(score_table([score]))
    assert value.split() == ["nan"] and target == "–"


def test_causes_stand_in_the_order_in_which_they_were_checked():
    causes = [
        Cause(1, "information leak", "ruled out", (), "", ()),
        Cause(5, "the objective mix itself", "found", names()[:2], "", ()),
    ]
    assert cells(cause_table(causes)) == [
        ("1 information leak", "ruled out", ""),
        ("5 the objective mix itself", "found", "drift, continuation"),
    ]


def test_brackets_in_the_name_of_a_variant_are_shown():
    change = Change(
        *("[b]/causal", "keep", (), None),
        **{"rate": (0.5, 0.5), "loss": (0.5, 0.5), "source": ""},
    )
    assert "[b]/causal" in printed(change_table([change]))


@hypothesis.given(before=SHARES, after=SHARES)
@hypothesis.settings(max_examples=30, deadline=None)
def test_a_change_shows_shares_of_the_loss(before, after):
    change = Change(
        *("x/causal", "raise", (), None),
        **{"rate": (0.9, 0.9), "loss": (before, after), "source": ""},
    )
    ((name, action, reason, *shares),) = cells(change_table([change]))
    assert (name, action, reason) == ("x/causal", "raise", "room")
    for text, share in zip(shares, (before, after), strict=True):
        assert float(text.removesuffix(" %")) == pytest.approx(100 * share, abs=0.05)

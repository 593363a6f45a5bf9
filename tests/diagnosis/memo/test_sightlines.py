"""The small pictures of a memo fill the cells that are seen, and tell which predict."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from sightline.diagnosis.audit.dependence import Dependence
from sightline.diagnosis.audit.picture_svg import Picture
from sightline.diagnosis.memo.sightlines import SIDE, sightlines, small_svg

pytestmark = pytest.mark.unchecked


class Drawn(HTMLParser):
    """Paths and texts of a picture, by class."""

    def __init__(self, svg):
        super().__init__()
        self.paths, self.texts, self.kind, self.label = {}, [], None, ""
        self.feed(svg)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.label = attrs.get("aria-label", self.label)
        self.kind = tag
        if tag == "path":
            self.paths[attrs["class"]] = attrs["d"]
        if tag == "text":
            self.at = attrs["class"], float(attrs["x"]), float(attrs["y"])

    def handle_data(self, data):
        if self.kind == "text":
            self.texts.append((*self.at, data))

    def cells(self, kind, size):
        filled = np.zeros((size, size), bool)
        for x, y, wide in re.findall(r"M(\d+) (\d+)h(\d+)v1", self.paths[kind]):
            filled[int(y), int(x) : int(x) + int(wide)] = True
        return filled


def picture(may, asks, *, inputs=0, holds=None):
    size = len(may)
    nothing = Dependence(
        np.zeros((size, size), np.float32), np.zeros((size,) * 2, bool)
    )
    holds = holds or tuple("abcdefgh"[:size])
    return Picture("<mine>", "a & b", "", holds, asks, inputs, may, nothing)


def test_rows_that_predict_are_told_from_rows_that_do_not():
    rng = np.random.default_rng(0)
    may, asks = rng.random((6, 6)) < 0.5, ("", "b", "", "d", "e", "")
    drawn = Drawn(small_svg(picture(may, asks)))
    predicts = np.array([bool(ask) for ask in asks])
    see, idle = (drawn.cells(kind, 6) for kind in ("see", "idle"))
    np.testing.assert_array_equal(see | idle, may)
    np.testing.assert_array_equal(see, may & predicts[:, None])
    assert drawn.label == "<mine>: a & b"


def test_what_a_row_predicts_stands_beside_it_and_tokens_below():
    may = np.ones((4, 4), bool)
    holds = ("a", "MASK", "c", "")  # a word would not fit
    drawn = Drawn(small_svg(picture(may, ("", "b", "<", ""), holds=holds)))
    asks = [(y, text) for kind, _, y, text in drawn.texts if kind == "ask"]
    held = [(x, text) for kind, x, _, text in drawn.texts if kind == "mid"]
    assert [text for _, text in asks] == ["b", "<"]
    assert [text for _, text in held] == ["a", "c"]
    cell = SIDE / 4
    assert asks[1][0] - asks[0][0] == pytest.approx(cell)
    assert held[1][0] - held[0][0] == pytest.approx(2 * cell)


@pytest.mark.parametrize(("inputs", "part"), [(0, ""), (2, "M2 0v4M0 2h4"), (4, "")])
def test_a_line_parts_inputs_from_targets_where_there_are_both(inputs, part):
    made = small_svg(picture(np.eye(4, dtype=bool), ("a",) * 4, inputs=inputs))
    assert Drawn(made).paths["part"] == part
    assert Drawn(made).paths["lines"] == "M1 0v4M0 1h4M2 0v4M0 2h4M3 0v4M0 3h4"


def test_of_causal_rows_each_sees_what_is_before_and_of_masked_ones_all():
    made = sightlines(["causal", "masked"], "policies")
    assert list(made) == ["causal", "masked"]
    size = Drawn(made["causal"]).paths["lines"].count("M") // 2 + 1
    causal, masked = (
        Drawn(made[name]).cells("see", size) | Drawn(made[name]).cells("idle", size)
        for name in made
    )
    np.testing.assert_array_equal(causal, np.tril(np.ones((size, size), bool)))
    assert masked.all()
    assert sightlines([], "policies") == {}

"""NamedTuples as JSON: what is written is read, and what was changed is refused."""

import copy
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.diagnosis.results import json_file
from sightline.objectives.errors import UsageError


class Point(NamedTuple):
    name: str
    value: float
    side: Literal["left", "right"]
    seen: bool
    extra: int | None


class Chart(NamedTuple):
    points: tuple[Point, ...]
    by_name: Mapping[str, Point]
    shares: Mapping[str, float]
    settings: Any


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.builds(
    Point,
    name=st.text(),
    value=FLOATS,
    side=st.sampled_from(["left", "right"]),
    seen=st.booleans(),
    extra=st.none() | st.integers(),
)
CHARTS = st.builds(
    Chart,
    points=st.lists(POINTS, max_size=3).map(tuple),
    by_name=st.dictionaries(st.text(), POINTS, max_size=2),
    shares=st.dictionaries(st.text(), FLOATS, max_size=3),
    settings=st.none() | st.lists(st.integers(), max_size=2),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("json") / "chart.json"


@hypothesis.given(CHARTS)
@hypothesis.settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(path, chart):
    json_file.write(path, chart)
    assert json_file.read(path, Chart, finite=True) == chart
    assert [file.name for file in path.parent.iterdir()] == [path.name]


WRONG = {"name": 3, "value": "1", "side": "up", "seen": 1, "extra": 0.5}
"""For each field of a point a value of another kind."""


@hypothesis.given(point=POINTS, field=st.sampled_from(sorted(WRONG)), data=st.data())
@hypothesis.settings(max_examples=60, deadline=None)
def test_any_wrong_field_is_refused_by_its_place(path, point, field, data):
    chart = Chart((point, point), {"a": point}, {}, None)
    json_file.write(path, chart)
    plain = json.loads(path.read_text())
    places = {"$.points[1]": plain["points"][1], "$.by_name.a": plain["by_name"]["a"]}
    place = data.draw(st.sampled_from(sorted(places)))
    change = data.draw(st.sampled_from(["wrong", "missing", "unknown"]))
    if change == "wrong":
        places[place][field] = WRONG[field]
        message = f"{place}.{field}: "
    elif change == "missing":
        del places[place][field]
        message = f"{place}: {field} missing"
    else:
        places[place]["other"] = places[place].pop(field)
        message = f"{place}: no field 'other'"
    path.write_text(json.dumps(plain))
    with pytest.raises(UsageError) as error:
        json_file.read(path, Chart)
    assert message in str(error.value)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "-1e999"])
def test_only_a_finite_file_refuses_what_is_no_number(path, constant):
    text = '{"name": "a", "value": %s, "side": "left", "seen": true, "extra": null}'
    path.write_text(text % constant)
    assert str(json_file.read(path, Point).value) == str(float(constant))
    with pytest.raises(UsageError, match=f"{constant} is no finite number"):
        json_file.read(path, Point, finite=True)


def test_a_failed_write_leaves_the_file_as_it_was(path):
    json_file.write(path, {"a": 1})
    before = path.read_bytes()
    for value in ({"a": object()}, {"a": float("nan")}):
        with pytest.raises((TypeError, ValueError)):
            json_file.write(path, copy.copy(value), allow_nan=False)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]

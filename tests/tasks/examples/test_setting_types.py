"""Which values fit which parameters, and how a mistake is told."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Literal

import pytest

from sightline.objectives.errors import UsageError
from sightline.tasks.examples.setting_types import (
    fits,
    hint,
    parameters,
    require_fits,
    require_settings,
    spell,
)

pytestmark = pytest.mark.unchecked


def take(
    rate: float,
    count: int,
    shown: bool,
    folder: str,
    unit: Literal["token", "word"],
    names: Sequence[str],
    numbers: tuple[int, ...],
    shares: Mapping[str, float] | None,
    some: Sequence[str] | str,
    distance: int | None,
    either: bool | float,
    seed: int = None,  # noqa: RUF013  # pyright: ignore[reportArgumentType]
    anything=7,
):
    """A function with a parameter of every sort that settings have."""


KNOWN = parameters(take)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("rate", [0.1, 3], [True, "0.1", None, [0.1]]),
        ("count", [3, -1], [3.0, True, "3", None]),
        ("shown", [True], [1, "True", None]),
        ("folder", ["papers", ""], [3, None, ["papers"], b"papers"]),
        ("unit", ["word"], ["words", 1]),
        ("names", [["a"], ("a", "b"), ()], ["ab", [1], 3]),
        ("numbers", [(1, 2), ()], [[1], (1.5,), 1]),
        ("shares", [{"a": 1}, {}, None], [{"a": "1"}, {1: 1.0}, "a"]),
        ("some", [["a"], "a"], [3, [3]]),
        ("distance", [3, None], [True, 3.0, "3"]),
        ("either", [True, 3, 0.5], [None, "True"]),
        ("seed", [3, None], ["3", 3.0]),
        ("anything", [None, "x", 3, [1]], []),
    ],
)
def test_what_fits(name, good, bad):
    assert all(fits(value, KNOWN[name]) for value in good)
    assert not any(fits(value, KNOWN[name]) for value in bad)


def test_a_mistake_is_told_with_its_type_and_the_right_one():
    with pytest.raises(UsageError, match=r"^x\.rate = '0\.1' is of type str; it takes "
                                         r"float\.$"):  # fmt: skip
        require_fits("x.rate", "0.1", KNOWN["rate"])
    alone = (
        r"is of type str; it takes Sequence\[str\]; write \('ab',\) for one alone\.$"
    )
    with pytest.raises(UsageError, match=alone):
        require_fits("x.names", "ab", KNOWN["names"])
    assert hint(3, KNOWN["names"]) == ""
    unit = KNOWN["unit"].annotation
    assert spell(unit) == "Literal['token', 'word']"
    assert spell(int) == "int" and spell(tuple[int, ...]) == "tuple[int, ...]"


def test_settings_are_held_against_the_parameters_of_their_names():
    require_settings("x", {"rate": 1, "unknown": object()}, take)
    with pytest.raises(UsageError, match=r"^x\.count = 1\.5 is of type float"):
        require_settings("x", {"rate": 1, "count": 1.5}, take)
    assert set(KNOWN) == set(inspect.signature(take).parameters)

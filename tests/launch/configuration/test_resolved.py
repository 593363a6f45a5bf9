"""A configuration written out and read again gives the same values."""

import math
from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.configuration.config import load


def part(*, value: Any = 0, other: Any = "a default"): ...


def root(*, value: Any, made: Any = None, make: Callable[..., Any] | None = None):
    return value, made, make


TABLE = {"root": root, "part": part}
NUMBERS = st.integers() | st.floats(allow_nan=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text() | st.binary()
KEYS = NUMBERS | st.text()
VALUES = st.recursive(
    LEAVES | st.text(min_size=70, max_size=200),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def read(path, text, *bindings):
    path.write_text(text, "utf-8")
    return load([str(path)], bindings, table=TABLE, settings={})


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("gin") / "run.gin"


@hypothesis.given(value=VALUES)
@hypothesis.example(
    "a text\nof two lines # with 'quotes' and \\ %signs @of $all {kinds}"
)
@hypothesis.example(["x " * 60, {"y": ("z " * 60,)}])
@hypothesis.example(math.inf)
@hypothesis.example({"limits": (-math.inf, [math.inf])})
@hypothesis.settings(max_examples=30, deadline=None)
def test_a_value_is_the_same_when_it_is_read_again(path, value):
    config = read(path, f"root.value = {_literal(value)}\n")
    assert config.arguments("root")["value"] == value
    again = read(path, config.resolved_config("root"))
    found = again.arguments("root")["value"]
    assert found == value and repr(found) == repr(value)
    assert again.resolved_config("root") == config.resolved_config("root")


def _literal(value) -> str:
    """As Python writes it; it has no literal of an infinite number but a large one."""
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    if isinstance(value, dict):
        pairs = (f"{_literal(k)}: {_literal(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, tuple):
        return f"({''.join(f'{_literal(item)}, ' for item in value)})"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)


def test_references_keep_their_scopes_inside_of_values(path):
    text = (
        "root.value = {'a': [@x/part(), %M]}\nM = (@part, 2)\n"
        "x/part.value = 3\npart.other = 'mine'\n"
    )
    written = read(path, text).resolved_config("root").splitlines()
    assert "root.value = {'a': [@x/part(), (@part, 2)]}" in written
    assert {"x/part.value = 3", "part.value = 0", "x/part.other = 'mine'"} <= {*written}
    assert not any("M =" in line for line in written)


def test_a_default_that_gin_cannot_hold_is_a_comment(path):
    def odd(*, value: Any = math.nan, kind: Any = dict, plain: Any = 3): ...

    config = load([], [], table={"odd": odd}, settings={})
    assert config.resolved_config("odd").splitlines() == [
        "# odd",
        "# odd.value = nan",
        "# odd.kind = <class 'dict'>",
        "odd.plain = 3",
    ]

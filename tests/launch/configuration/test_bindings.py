"""What a bound value becomes: which scope wins, what is built, and what is refused."""

import functools
from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.configuration.config import load
from sightline.launch.configuration.values import Macro, Reference, leaves
from sightline.objectives.errors import UsageError


def leaf(*, at: Any = "default", beside: Any = None):
    return at


def root(*, part: Any = None, make: Callable[..., Any] = print, given: int = 0):
    return part


def scheduled(steps: int, *, peak: float = 1.0):
    return steps, peak


def strict(*, needs: int, default: int = 1, **rest: Any): ...


TABLE = {"leaf": leaf, "root": root, "scheduled": scheduled, "strict": strict}
SCOPES = st.lists(st.sampled_from("ab"), max_size=3).map(tuple)


def read(*bindings):
    return load([], bindings, table=TABLE, settings={"masked": {}}).bindings


def named(scope):
    return "/".join((*scope, "leaf"))


@hypothesis.given(bound=st.sets(SCOPES), asked=SCOPES)
@hypothesis.settings(max_examples=60, deadline=None)
def test_the_longest_beginning_of_a_scope_wins(bound, asked):
    """`a/b/leaf` takes what is bound for it, else for `a/leaf`, else for `leaf`."""
    bindings = read(*(f"{named(scope)}.at={named(scope)}" for scope in sorted(bound)))
    around = [scope for scope in bound if asked[: len(scope)] == scope]
    expected = named(max(around, key=len)) if around else "default"
    assert bindings.build("leaf", asked) == expected


def test_parameters_of_one_configurable_may_come_from_several_scopes():
    bindings = read("leaf.at=1", "a/leaf.beside=2", "a/b/leaf.at=3")
    assert bindings.arguments("leaf", ("a", "b")) == {"at": 3, "beside": 2}
    assert bindings.arguments("leaf", ("a",)) == {"at": 1, "beside": 2}
    assert bindings.arguments("leaf", ("b", "a")) == {"at": 1}


def test_a_reference_without_a_scope_has_that_of_its_user():
    bindings = read("root.part=@leaf()", "leaf.at=1", "a/leaf.at=2", "b/leaf.at=3")
    assert bindings.build("root", ()) == 1
    assert bindings.build("root", ("a",)) == 2
    scoped = read("root.part=@b/leaf()", "leaf.at=1", "a/leaf.at=2", "b/leaf.at=3")
    assert scoped.build("root", ("a",)) == 3


def test_references_and_macros_are_replaced_however_deep():
    bindings = read(
        "root.part={'a': [@leaf(), (%M, 1)], 'b': %M}",
        "leaf.at='built'",
        "M=[2, @leaf()]",
    )
    part = bindings.build("root", ())
    assert part == {"a": ["built", ([2, "built"], 1)], "b": [2, "built"]}
    part["b"].append("mine")
    assert bindings.build("root", ())["b"] == [2, "built"]


def test_what_a_caller_gives_may_not_be_bound():
    bindings = read("leaf.at=1", "root.make=@scheduled", "scheduled.peak=0.5")
    assert bindings.arguments("leaf", beside=7) == {"at": 1, "beside": 7}
    with pytest.raises(UsageError, match=r"leaf\.at=1: leaf\.at is not bound but pass"):
        bindings.arguments("leaf", at=7)
    make = bindings.arguments("root")["make"]
    assert isinstance(make, functools.partial) and make(20) == (20, 0.5)
    message = r"scheduled\.peak is not bound but passed .* take the binding out"
    with pytest.raises(UsageError, match=message):
        make(20, peak=0.1)


def test_a_function_that_its_user_calls_is_written_without_parentheses():
    bindings = read("root.make=@strict()")
    with pytest.raises(UsageError, match=r"root\.make takes a function .*@strict, w"):
        bindings.arguments("root")


def test_settings_cannot_be_called():
    bindings = read("root.part=@masked()")
    with pytest.raises(UsageError, match="'masked' only has settings; it cannot be"):
        bindings.arguments("root")


def test_what_is_missing_is_named_with_its_scope():
    """What takes any name (`**rest`) misses none."""
    bindings = read("root.part=[@a/strict(), @strict(), @leaf()]", "strict.default=2")
    message = (
        r"not bound, .*: a/strict\.needs, strict\.needs\. .*--gin\.a/strict\.needs="
    )
    with pytest.raises(UsageError, match=message):
        bindings.arguments("root")
    assert bindings.arguments("strict", needs=1) == {"needs": 1, "default": 2}


def test_what_is_only_passed_on_need_not_be_complete():
    """It may get the rest from whoever calls it."""
    assert callable(read("root.make=@strict").arguments("root")["make"])


def test_a_value_with_a_reference_is_checked_when_it_is_built():
    bindings = read("root.given=@leaf()", "leaf.at='many'")
    with pytest.raises(UsageError, match=r"root\.given = 'many' is of type str; .*int"):
        bindings.arguments("root")


@hypothesis.given(
    st.recursive(
        st.integers() | st.just(Macro("M")) | st.just(Reference(("a",), "leaf", True)),
        lambda inner: (
            st.lists(inner) | st.tuples(inner) | st.dictionaries(st.integers(), inner)
        ),
    )
)
@hypothesis.settings(max_examples=60)
def test_the_leaves_of_a_value_are_those_that_its_text_shows(value):
    """Neither a macro nor a reference is taken apart, tuples though they are."""
    found = [repr(one) for one in leaves(value)]
    text = repr(value)
    for sign in "[](){},:":
        text = text.replace("@a/leaf()", "@a/leaf").replace(sign, " ")
    assert [one.removesuffix("()") for one in found] == text.split()

"""What processes tell each other, through jax's own coordination service."""

import socket
from functools import partial

import hypothesis
import hypothesis.strategies as st
import jax
import pytest

from sightline.launch.hosts import coordination
from sightline.objectives.errors import UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.fixture
def three(peers):
    return [peer.coordination for peer in peers(3)]


def test_values_are_exchanged_in_the_order_of_processes(three, at_once):
    for point in ("first", "second"):
        found = at_once(
            partial(c.exchange, point, f"{point} {n}") for n, c in enumerate(three)
        )
        assert found == [[f"{point} 0", f"{point} 1", f"{point} 2"]] * 3


def test_one_point_may_be_met_again(three, at_once):
    """The same name is another barrier, with other values."""
    for values in ("abc", "def"):
        found = at_once(
            partial(c.exchange, "save", v) for c, v in zip(three, values, strict=True)
        )
        assert found == [list(values)] * 3


def test_the_store_does_not_grow_with_the_points(three, at_once):
    """Of all points but the last two, no value is kept."""
    for number in range(5):
        assert at_once(partial(c.meet, f"step {number}") for c in three) == [None] * 3
    kept = three[0]._client().key_value_dir_get("meet/")
    assert {key.split("/")[1] for key, _ in kept} <= {"4", "5"}


def test_what_the_first_process_says_counts(three, at_once):
    found = at_once(
        partial(c.from_first, "name", [n, None]) for n, c in enumerate(three)
    )
    assert found == [[0, None]] * 3


@hypothesis.given(value=JSON)
@hypothesis.settings(max_examples=20)
def test_alone_nothing_is_waited_for(value):
    assert not coordination.together()
    coordination.meet("start")
    assert coordination.exchange("a", "mine") == ["mine"]
    assert coordination.from_first("a", value) is value
    assert coordination.name_of(0) == f"process 0 ({socket.gethostname()})"


def test_who_does_not_come_is_named_with_what_it_did_last(peers, at_once):
    first, second, third = peers(3)
    at_once(peer.coordination.introduce for peer in (first, third))
    third.coordination.tell_state(4, "running step 7", 2.4)
    for peer in (first, second):
        peer.progress.set_stall_seconds(1)
    errors = at_once(partial(p.coordination.meet, "save 8") for p in (first, second))
    host = socket.gethostname()
    for error in errors:
        assert isinstance(error, UsageError)
        assert str(error) == (
            "after 1 s 1 of 3 processes have not come to 'save 8': process 2 "
            f"({host}), last: running step 7 (for 2 s)."
        )
    assert first.coordination.name_of(1) == "process 1 (unknown host)"


def test_a_barrier_waits_less_long_than_the_watchdog(peers):
    """So it names the missing before the watchdog ends the process."""
    peer, _ = peers(2)
    peer.progress.set_stall_seconds(0.5)
    peer.progress.did("saving step 4", times=2)
    with pytest.raises(UsageError, match="process 1") as caught:
        peer.coordination.meet("save 4")
    waiting = peer.progress.latest()
    assert "save 4" in waiting.what
    limit = peer.progress.stall_seconds() * waiting.times
    assert f"after {limit:.0f} s" in str(caught.value)  # 0.9 s of 1 s


def test_a_barrier_leaves_what_was_being_done(peers, at_once):
    """So a stall after it is told as that of the step, with the step's patience."""
    pair = peers(2)
    for peer in pair:
        peer.progress.did("evaluating", times=6)
    at_once(partial(peer.coordination.meet, "point") for peer in pair)
    for peer in pair:
        assert peer.progress.latest()[::2] == ("evaluating", 6)


def test_states_are_told_anew(three):
    assert three[0].states() == []
    three[2].tell_state(1, "compiling", 3.0)
    three[1].tell_state(1, "starting", 0.0)
    three[2].tell_state(2, "running step 0", 0.5)
    found = {state.process: state for state in three[0].states()}
    assert found == {
        1: (1, 1, "starting", 0.0),
        2: (2, 2, "running step 0", 0.5),
    }
    assert str(found[2]) == "running step 0 (for 0 s)"


def test_the_first_signal_stands(three, at_once):
    """Whoever asks later hears what the others have heard."""
    assert three[0].signals() == {}
    stand = at_once(
        partial(c.raise_signal, "stop", f"by {n}") for n, c in enumerate(three)
    )
    assert len(set(stand)) == 1 and stand[0] in ("by 0", "by 1", "by 2")
    assert three[1].raise_signal("failure", "x") == "x"
    assert three[2].signals() == {"stop": stand[0], "failure": "x"}


def test_a_service_that_is_gone_is_told_as_it_is(lost):
    """It is neither a signal that is set already nor a name that is not known."""
    for call in (
        lost.coordination.introduce,
        partial(lost.coordination.name_of, 0),
        partial(lost.coordination.raise_signal, "stop", "SIGTERM"),
    ):
        with pytest.raises(jax.errors.JaxRuntimeError, match="UNAVAILABLE"):
            call()


def test_allowed_steps_belong_to_a_beginning(three):
    """Keys of one beginning are not those of another: 1 is no prefix of 11."""
    three[0].allow(5, beginning=1)
    three[1].allow(7, beginning=1)
    three[2].allow(9, beginning=11)
    assert three[2].allowed(beginning=1) == {0: 5, 1: 7}
    assert three[0].allowed(beginning=11) == {2: 9}
    assert three[0].allowed(beginning=2) == {}


def test_each_process_is_counted_once_however_often_it_ticks(three):
    three[0].tick_off("heard")
    three[0].tick_off("heard")
    assert three[1].ticked_off("heard") == 1
    three[2].tick_off("heard")
    three[2].tick_off("left")
    assert (three[1].ticked_off("heard"), three[1].ticked_off("left")) == (2, 1)

"""Chunks of other processes: asked for once, taken in any order, dropped behind an end.

The other ends are played here, but for one that makes real chunks.
"""

import threading
from multiprocessing import Pipe

import numpy as np
import pytest

from sightline.models.rows import decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.task_windows import WHOLE
from sightline.tasks.streaming.chunks import Chunk, Key, LocalMaker, Plan
from sightline.tasks.streaming.makers import RemoteMakers, serve_chunks

pytestmark = pytest.mark.unchecked

MORE = Chunk(None, np.arange(3), ends_block=False, ends_epoch=False)
LAST = MORE._replace(ends_block=True)


def keys(*numbers, block=0):
    return [Key(0, 0, block, number) for number in numbers]


@pytest.fixture
def ends():
    """The makers' connections here and the ends that they would serve."""
    pairs = [Pipe() for _ in range(2)]
    yield pairs
    for pair in pairs:
        for end in pair:
            end.close()


def asked(end):
    found = []
    while end.poll(0):
        found.append(end.recv())
    return found


def test_chunks_are_asked_for_once_and_in_turns(ends):
    (ours, theirs), (other_ours, other_theirs) = ends
    makers = RemoteMakers([ours, other_ours])
    makers.expect(keys(0, 1, 2))
    makers.expect(keys(1, 2, 3))
    assert asked(theirs) == keys(0, 2) and asked(other_theirs) == keys(1, 3)
    theirs.send((keys(0)[0], MORE))
    theirs.send((keys(2)[0], MORE))
    assert makers.make(keys(2)[0]).windows.tolist() == [0, 1, 2]
    makers.expect(keys(0))  # made, and not taken yet
    assert not asked(theirs) and not asked(other_theirs)
    assert not makers.make(keys(0)[0]).ends_block


def test_what_was_expected_beyond_the_end_of_a_block_is_dropped(ends):
    (ours, theirs), _ = ends
    makers = RemoteMakers([ours])
    late, next_block = keys(2, 3), keys(0, block=1)
    makers.expect([*keys(0, 1), *late, *next_block])
    # One beyond the end is there before the end is read, the other comes after it.
    for key, chunk in ((late[0], MORE), (keys(0)[0], MORE), (keys(1)[0], LAST)):
        theirs.send((key, chunk))
    assert not makers.make(keys(0)[0]).ends_block
    assert makers.make(keys(1)[0]).ends_block
    asked(theirs)
    theirs.send((late[1], MORE))
    theirs.send((next_block[0], LAST))
    assert makers.make(next_block[0]).ends_block
    # They are not kept: who asks for them nonetheless has them made again.
    makers.expect(late)
    assert asked(theirs) == late


def test_an_error_of_a_maker_is_raised_as_it_was(ends):
    (ours, theirs), _ = ends
    theirs.send(("error", UsageError("the corpus is gone")))
    with pytest.raises(UsageError, match="the corpus is gone"):
        RemoteMakers([ours]).make(keys(0)[0])


def test_a_process_serves_the_chunks_that_are_made_here(ends):
    mixture = Mixture(
        "m",
        {"policies.causal": 1, "policies.masked": 1},
        vocabulary="policies",
        settings={"policies": {"train_documents": 4}},
    )
    plan = Plan(mixture, decoder_rows(slots=48, predictions=48), 2, 3, WHOLE)
    (ours, theirs), _ = ends
    serving = threading.Thread(target=serve_chunks, args=(plan, theirs))
    serving.start()
    remote, local = RemoteMakers([ours]), LocalMaker(plan)
    for key in (Key(1, 2, 0, 0), Key(0, 0, 0, 1), Key(1, 2, 0, 1)):
        found, expected = remote.make(key), local.make(key)
        assert found[1].tolist() == expected.windows.tolist()
        assert found[2:] == expected[2:]
        for one, other in zip(found.laid.placed(), expected.laid.placed(), strict=True):
            np.testing.assert_array_equal(one.decoder.tokens, other.decoder.tokens)
    ours.close()
    serving.join(10)
    assert not serving.is_alive()

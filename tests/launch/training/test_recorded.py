"""Recorded rows served to a run: the same for any hosts, from any step."""

import copy
import itertools
import json
import subprocess
import sys

import jax
import numpy as np
import pytest

from sightline.launch.training.recorded import RecordedData
from sightline.models.rows import decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.recorded.recipe import (
    Recipe,
    describe_tasks,
    with_later_settings,
)
from sightline.tasks.recorded.record import record
from sightline.tasks.recorded.workers import done_in_processes
from sightline.tasks.shares.counts import add, count

pytestmark = pytest.mark.unchecked

ROWS = decoder_rows(slots=64, predictions=64)
RATES = {"policies.causal": 1.0, "policies.sentence_pair": 3.0}
B = 8


def digest(batch):
    return hash(b"".join(array.tobytes() for array in jax.tree.leaves(batch)))


def mixture(rates=RATES, vocabulary="policies", **settings):
    return Mixture(
        "two",
        rates,
        vocabulary=vocabulary,
        settings={"policies": {"train_documents": 20, "validation_documents": 3}}
        | settings,
    )


class NoShow:
    def phase(self, name, total):
        del name, total

    def done(self, rows):
        del rows


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A recording of each layout."""
    found = {}
    for layout in ("mixed", "per_objective"):
        folder = tmp_path_factory.mktemp("served") / layout
        recipe = Recipe(
            mixture(), ROWS, seed=0, layout=layout, part_examples=60, held_out_rows=10
        )
        record(recipe, folder, runner=in_process, show=NoShow())
        found[layout] = folder
    return found


def in_process(make, jobs):
    return done_in_processes(make, jobs, workers=1)


def source(folder, phases=None, **changes):
    phases = {0: mixture()} if phases is None else phases
    return RecordedData(folder, phases, ROWS, B, **changes)


def batches(data, count, *, seed=0, position=None):
    return list(itertools.islice(data.training(seed=seed, position=position), count))


def arrays(batch):
    return [np.asarray(array) for array in batch.decoder]


@pytest.mark.parametrize("layout", ["mixed", "per_objective"])
@pytest.mark.parametrize("hosts", [2, 4])
def test_any_number_of_hosts_loads_the_same_rows(folders, layout, hosts):
    whole = batches(source(folders[layout]), 12)
    size = B // hosts
    parts = [
        batches(source(folders[layout], rows_here=(h * size, (h + 1) * size)), 12)
        for h in range(hosts)
    ]
    for step, (batch, position) in enumerate(whole):
        assert {json.dumps(part[step][1]) for part in parts} == {json.dumps(position)}
        local = [arrays(part[step][0]) for part in parts]
        for field, pieces in zip(arrays(batch), zip(*local, strict=True), strict=True):
            np.testing.assert_array_equal(field, np.concatenate(pieces))


@pytest.mark.parametrize("layout", ["mixed", "per_objective"])
def test_a_run_resumes_at_any_step(folders, layout):
    whole = batches(source(folders[layout]), 30)
    for step in (0, 1, 13, 29):
        position = json.loads(json.dumps(whole[step][1]))
        (first, again), *_ = batches(source(folders[layout]), 1, position=position)
        assert digest(first) == digest(whole[step][0]) and again == position
    assert len({digest(batch) for batch, _ in whole}) == 30


def test_every_row_comes_once_an_epoch_and_in_another_order_in_the_next(folders):
    data = source(folders["mixed"])
    (group,) = data._groups
    found = batches(data, -(-2 * group.rows // B))
    rows = [row.tobytes() for batch, _ in found for row in batch.decoder.tokens]
    first, second = rows[: group.rows], rows[group.rows : 2 * group.rows]
    assert sorted(first) == sorted(second) and first != second
    assert rows != [
        row.tobytes()
        for batch, _ in batches(data, len(found), seed=1)
        for row in batch.decoder.tokens
    ]


def test_rates_of_the_run_mix_rows_that_are_recorded_apart(folders):
    for share in (0.2, 0.7):
        rates = {"policies.causal": share, "policies.sentence_pair": 1 - share}
        data = source(folders["per_objective"], {0: mixture(rates)})
        totals = None
        for batch, _ in batches(data, 150):
            counted = count(batch)
            totals = counted if totals is None else add(totals, counted)
        assert totals is not None
        assert abs(totals.shares()["examples"][0] - share) < 0.01


def test_a_schedule_changes_rates_at_its_step(folders):
    causal, pairs = ({task: 1.0} for task in RATES)
    phases = {0: mixture(causal), 5: mixture(pairs), 9: mixture()}
    found = batches(source(folders["per_objective"], phases), 12)
    kinds = [set(np.flatnonzero(count(batch).examples).tolist()) for batch, _ in found]
    assert kinds == [{0}] * 5 + [{4}] * 4 + [{0, 4}] * 3
    position = found[7][1]
    (again, _), *_ = batches(
        source(folders["per_objective"], phases), 1, position=position
    )
    assert digest(again) == digest(found[7][0])


def test_held_out_batches_are_whole_and_padded(folders):
    data = source(folders["mixed"], rows_here=(0, 4))
    found = data.held_out(most=5)
    assert found.keys() == RATES.keys()
    assert [len(b.decoder.tokens) for b in found["policies.causal"]] == [8, 8]
    last = found["policies.causal"][-1].decoder
    assert last.segment_ids[:2].any(axis=1).all() and not last.segment_ids[2:].any()
    assert data.held_out(most=0) == {task: [] for task in RATES}


@pytest.mark.parametrize(
    ("layout", "mixed", "message"),
    [
        ("mixed", {"policies.causal": 1.0}, "share: 0.25, now 1.0"),
        ("per_objective", {"policies.masked": 1.0}, "policies.masked: nothing, now"),
    ],
)
def test_a_mixture_that_was_not_recorded_is_refused(folders, layout, mixed, message):
    with pytest.raises(UsageError, match=message):
        source(folders[layout], {0: mixture(mixed)})


def test_settings_rows_and_recordings_are_compared(folders):
    settings = {"sentence_pair": {"further": 0.2}}
    with pytest.raises(UsageError, match=r"settings.further: 0.1, now 0.2"):
        source(folders["per_objective"], {0: mixture(**settings)})
    with pytest.raises(UsageError, match="asks for"):
        RecordedData(
            folders["mixed"], {0: mixture()}, decoder_rows(slots=32, predictions=8), B
        )
    (_, position), *_ = batches(source(folders["mixed"]), 1)
    with pytest.raises(UsageError, match="resume it with its own recording"):
        batches(source(folders["per_objective"]), 1, position=position)
    with pytest.raises(UsageError, match="another vocabulary"):
        source(folders["mixed"], {0: mixture(vocabulary="bytes")})


def test_a_recording_from_before_a_setting_is_read_with_its_default():
    now = describe_tasks(mixture(sentence_pair={"further": 0.2}))
    before = copy.deepcopy(now)
    del before["policies.sentence_pair"]["settings"]["max_tokens"]
    assert before != now
    assert with_later_settings(before) == now


SERVE = """
import sys

MISSING = ["tensorflow", "seqio", "t5", "tensorflow_datasets", "tensorflow_text",
           "sklearn", "sentencepiece"]
sys.modules |= dict.fromkeys(MISSING)  # imports of them fail as if not installed
from pathlib import Path
from sightline.tasks.recorded.check import check
from sightline.tasks.recorded.serve import Recording
from sightline.tasks.recorded.serving import serving_cost
folder = Path(sys.argv[1])
check(folder, checked=print)
assert serving_cost(Recording(folder)).filled > 0.5

del sys.modules["sentencepiece"]  # of the vocabulary, by which a mixture is checked
from sightline.launch.training.recorded import RecordedData
from sightline.models.rows import decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks import host_tensorflow
from sightline.tasks.examples.mixture import Mixture
small = {"policies": {"train_documents": 20, "validation_documents": 3}}
rates = {"policies.causal": 1.0, "policies.sentence_pair": 3.0}
mixture = Mixture("two", rates, vocabulary="policies", settings=small)
data = RecordedData(folder, {0: mixture}, decoder_rows(slots=64, predictions=64), 8)
next(data.training(seed=0, position=None))
assert all(data.held_out(most=1).values())
try:
    host_tensorflow.load()
except UsageError as error:
    print(error)
"""


def test_serving_needs_no_tensorflow_seqio_or_t5(folders):
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(folders["per_objective"])],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "pip install 'sightline[corpora]'" in done.stdout

"""The streaming source: hosts divide the text, and nothing needs TensorFlow."""

import hashlib
import itertools
import json
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from sightline.launch.training.data import Source, Streaming
from sightline.models.rows import decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.streaming.batches import ReceivedBatches

pytestmark = pytest.mark.unchecked

SMALL = {"train_documents": 8, "validation_documents": 3, "most_sections": 5}
ROWS = decoder_rows(slots=48, predictions=40)


def source(rates=None, **fields):
    mixture = Mixture(
        "m",
        rates or {"policies.causal": 1, "policies.masked": 1},
        vocabulary="policies",
        settings={"policies": SMALL},
    )
    return Streaming(mixture, ROWS, 8, **{"workers": 0, **fields})


def digest(batch):
    sha256 = hashlib.sha256()
    for array in jax.tree.leaves(batch):
        sha256.update(np.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()


def digests(of, count, position=None):
    stream = of.training(seed=1, position=position)
    return [(digest(batch), place) for batch, place in itertools.islice(stream, count)]


def test_it_is_a_source_and_its_positions_are_taken_up():
    streaming = source()
    assert isinstance(streaming, Source)
    whole = digests(streaming, 6)
    assert digests(streaming, 3, whole[3][1]) == whole[3:]


def test_hosts_with_the_same_rows_read_the_same_and_others_do_not():
    first, twin, second = (
        digests(source(rows_here=rows), 4) for rows in ((0, 4), (0, 4), (4, 8))
    )
    assert first == twin
    assert not {found for found, _ in first} & {found for found, _ in second}
    batch, _ = next(source(rows_here=(4, 8)).training(seed=1, position=None))
    assert batch.decoder.tokens.shape == (4, 48)
    with pytest.raises(ValueError, match="to change the number of hosts"):
        digests(source(), 1, first[2][1])


def test_each_host_goes_on_from_its_own_position_among_those_of_all():
    parts = [source(rows_here=rows) for rows in ((0, 4), (4, 8))]
    wholes = [digests(part, 4) for part in parts]
    saved = json.loads(json.dumps([whole[2][1] for whole in wholes]))
    for part, whole in zip(parts, wholes, strict=True):
        assert digests(part, 2, part.own(saved)) == whole[2:]
    with pytest.raises(ValueError, match="to change the number of hosts"):
        digests(source(), 1, source().own(saved))


@pytest.mark.parametrize("rows", [(0, 3), (2, 6), (4, 4)])
def test_rows_that_are_no_equal_part_are_refused(rows):
    with pytest.raises(ValueError, match="which are no equal part of it"):
        source(rows_here=rows)


def test_held_out_batches_are_whole_and_the_same_everywhere():
    here, there = source(rows_here=(0, 4)), source(rows_here=(4, 8))
    found = here.held_out(most=2)
    assert list(found) == ["policies.causal", "policies.masked"]
    for task, batches in there.held_out(most=2).items():
        assert [digest(b) for b in batches] == [digest(b) for b in found[task]]
        assert 1 <= len(batches) <= 2
        assert all(batch.decoder.tokens.shape == (8, 48) for batch in batches)
    assert not any(here.held_out(most=0).values())


def test_tasks_without_held_out_text_have_no_batches(tmp_path):
    """Pairs take 16 tokens, and no document has as many."""
    lines = "".join(f'{{"text": "line {n}"}}\n' for n in range(400))
    (tmp_path / "short.jsonl").write_text(lines)
    mixture = Mixture(
        "m",
        {"text.sentence_pair": 1, "text.causal": 1},
        vocabulary="bytes",
        settings={"text": {"folder": str(tmp_path)}},
    )
    found = Streaming(mixture, ROWS, 1, workers=0).held_out(most=1)
    assert found["text.sentence_pair"] == []
    assert len(found["text.causal"]) == 1


def test_closing_ends_its_processes():
    streaming = source(workers=1)
    stream = streaming.training(seed=1, position=None)
    assert isinstance(stream, ReceivedBatches)
    next(stream)
    streaming.close()
    began = time.monotonic()
    assert len(list(stream)) == 0
    assert time.monotonic() - began < 5


def test_training_data_needs_no_tensorflow():
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'seqio', 't5', 'tensorflow_datasets'):\n"
        "    sys.modules[name] = None\n"
        "from sightline.launch.cli import main\n"
        "words = ['--gin_file=incumbent.gin', '--gin.decoder_rows.slots=64',"
        " '--gin.policies.train_documents=40',"
        " '--gin.decoder_rows.predictions=64']\n"
        "assert main(['mix', 'show', *words, '--examples=900']) == 0\n"
        "assert main(['mix', 'preview', *words]) == 0\n"
        "from sightline.launch.configuration.config import load\n"
        "from sightline.launch.training.data import Streaming\n"
        "files = ['any_mixture.gin', 'incumbent.gin']\n"
        "loaded = load(files, ['policies.train_documents=40'])\n"
        "given = loaded.arguments('train', run_dir='', config='')\n"
        "data = Streaming(given['mixture'], given['rows'], 4, workers=0)\n"
        "next(data.training(seed=0, position=None))\n"
        "assert all(data.held_out(most=1).values())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("workers", [0, 1])
def test_text_that_changes_after_it_was_identified_is_refused(tmp_path, workers):
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("A document of a folder. " * 9)
    mixture = Mixture(
        "m",
        {"text.causal": 1},
        vocabulary="policies",
        settings={"text": {"folder": str(tmp_path)}},
    )
    data = Streaming(mixture, ROWS, 2, workers=workers)
    assert set(data.identities()) == {"vocabulary sha256", "corpus text"}
    next(data.training(seed=1, position=None))
    (tmp_path / "0.txt").write_text("Another document. " * 9)
    with pytest.raises(UsageError, match="corpus text changed since the run began"):
        next(data.training(seed=1, position=None))
    with pytest.raises(UsageError, match="corpus text changed since the run began"):
        data.held_out(most=1)
    data.close()

"""docs/corpora.md: each of its commands runs as it is written."""

import json
import re
import shlex
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from real_tfds import prepare

from sightline.launch.cli import main
from sightline.tasks import user_modules

pytestmark = pytest.mark.unchecked

PAGE = Path(__file__).parents[3] / "docs" / "corpora.md"
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
COMMANDS = [
    line for block in BLOCKS for line in block.splitlines() if line.startswith("sight")
]
TEXTS = [f"Document {n} is one of those. " * 9 for n in range(40)]
MODULE = """
import seqio
import tensorflow as tf

TEXTS = [f"Document {n} of the Task. " * 9 for n in range(30)]


def dataset(split, shuffle_files=False, seed=None):
    return tf.data.Dataset.from_tensor_slices({"text": TEXTS})


for name, splits in (("my_task", ["train", "validation"]), ("my_laws", ["train"])):
    seqio.TaskRegistry.add(
        name,
        source=seqio.FunctionDataSource(dataset, splits=splits),
        output_features={"text": seqio.Feature(seqio.ByteVocabulary())},
    )


def questions(split, shuffle_files=False, seed=None):
    pairs = {"inputs": ["one and one is"] * 3, "targets": ["two"] * 3}
    return tf.data.Dataset.from_tensor_slices(pairs)


def length(targets, predictions):
    return {"length": sum(map(len, targets)) / len(predictions)}


def score(targets, scores):
    return {"score": sum(scores)}


seqio.TaskRegistry.add(
    "my_answers",
    source=seqio.FunctionDataSource(questions, splits=["validation"]),
    preprocessors=[seqio.preprocessors.tokenize, seqio.preprocessors.append_eos],
    output_features={
        key: seqio.Feature(seqio.ByteVocabulary()) for key in ("inputs", "targets")
    },
    metric_fns=[length, score],
)
"""
TINY = """
include 'runs/quickstart.gin'
Mixture.loss_shares = None
Mixture.vocabulary = 'bytes'
ModelConfig.layers = 1
ModelConfig.d_model = 32
ModelConfig.d_hidden = 64
ModelConfig.head_dim = 16
train.steps = 1
train.eval_batches = 1
warmup_cosine.warmup_steps = 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working directory that has what the page's commands name."""
    here = tmp_path_factory.mktemp("page")
    (here / "my_tasks.py").write_text(MODULE)
    (gin,) = [block for block in BLOCKS if "laws/seqio.task" in block]
    (here / "mine.gin").write_text(TINY + gin)
    (here / "papers").mkdir()
    rows = (json.dumps({"text": text}) for text in TEXTS)
    (here / "papers" / "a.jsonl").write_text("\n".join(rows))
    (here / "data" / "stories").mkdir(parents=True)
    for split in ("train", "validation"):
        file = here / "data" / "stories" / f"{split}.parquet"
        pq.write_table(pa.table({"story": TEXTS}), file)
    prepare(here / "tfds", "lm1b:1.1.0", {"train": TEXTS, "test": TEXTS})
    return here


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(folder / "prepared"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder / "tfds"))
    monkeypatch.setattr(user_modules, "_expected", [])
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_the_commands_of_the_page_in_their_order(capfd):
    assert len(COMMANDS) == 7
    for command in COMMANDS:
        few = ["--examples=300"] if " mix show " in command else []
        assert main([*shlex.split(command)[1:], *few]) == 0, command
        printed = capfd.readouterr().out
        if " corpus " in command:
            assert "validation" in printed
        if " evaluate " in command:
            assert re.search(r"my_answers\s+length\s+3\.0000", printed)


def test_a_module_that_fails_is_one_line(folder, capfd):
    (folder / "my_mistake.py").write_text("raise ValueError('none of it')\n")
    command = ["corpus", "seqio", "--gin.seqio.task=my_task"]
    assert main([*command, "--import=my_mistake"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("sightline: --import=my_mistake: it failed while it was")
    assert "my_mistake.py:1: ValueError: none of it" in line
    assert main([*command, "--import=my_taks"]) == 2
    assert "there is no module 'my_taks'" in capfd.readouterr().err

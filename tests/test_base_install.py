"""What `pip install sightline` brings, without extras, is enough to train.

The environment holds the files of exactly the distributions that the package's own
metadata requires, each linked from this one, and nothing else.
"""

import importlib.metadata
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("tensorflow", "seqio", "seqio-nightly", "t5", "tensorflow-datasets")

RUN = (
    *("--gin.train.steps=4", "--gin.train.checkpoint_every=2", "--gin.train.seed=0"),
    *("--gin.train.batch_rows=8", "--gin.train.eval_every=4"),
    *("--gin.ModelConfig.layers=1", "--gin.ModelConfig.d_model=32"),
    *("--gin.ModelConfig.d_hidden=64", "--gin.ModelConfig.heads=2"),
    *("--gin.ModelConfig.kv_heads=2", "--gin.ModelConfig.head_dim=16"),
)


def required(name: str) -> set[str]:
    """A distribution and all that it requires, directly or not, without extras."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, "")]
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        found.add(each)
        name, extra = each
        for line in importlib.metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                other = canonicalize_name(needed.name)
                waiting += [(other, ""), *((other, more) for more in needed.extras)]
    return {name for name, _ in found}


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment with the required distributions alone."""
    folder = tmp_path_factory.mktemp("base") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in required("sightline") - {"sightline"}:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            # Byte code too, where there is some: compiling all anew takes long.
            if ".." not in file.parts and source.exists():
                link = site / file
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(source.resolve())
    (site / "sightline").symlink_to(ROOT)
    return folder / "bin" / "python"


def call(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Rows of the quickstart, recorded here, where TensorFlow is installed."""
    folder = tmp_path_factory.mktemp("base") / "rows"
    words = ["--gin_file=quickstart.gin", f"--out={folder}", "--held_out_rows=8"]
    sizes = ["--rows=64", "--shard_examples=128"]
    call(sys.executable, "-m", "sightline", "record", *words, *sizes)
    return folder


def test_recorded_rows_are_trained_on_without_extras(python, recording, tmp_path):
    assert not set(LEFT_OUT) & required("sightline")
    look = "from importlib.util import find_spec as f; import sys; print(sys.prefix, "
    names = [name.replace("-", "_") for name in LEFT_OUT]
    here = call(python, "-c", f"{look}*[f(name) for name in {names}])")
    assert here.split() == [str(python.parent.parent), *["None"] * len(LEFT_OUT)]

    run = tmp_path / "run"
    train = [python, "-m", "sightline", "train", "--gin_file=quickstart.gin"]
    data = f"--gin.train.data={str(recording)!r}"
    call(*train, f"--run_dir={run}", data, *RUN)
    assert (run / "checkpoints" / "4").is_dir()
    call(*train, f"--run_dir={run}", data, *RUN, "--replay=3")
    call(python, "-m", "sightline", "record", "--check", recording)
    call(python, "-m", "sightline", "goodput", run)

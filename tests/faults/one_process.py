"""Runs of one process on recorded rows: within the tests' own process, or as a child.

Faults of files, settings and numbers are injected into runs of the real command within
this process, which take two seconds; what has to be killed is a child.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from trial_runs import SMALL, Trial, fingerprints, saved_steps, trace

from sightline.launch.cli import main
from sightline.launch.training.program import Program

STEPS, EVERY = 40, 5
"""Of a run, and between its checkpoints."""

MIXTURE = (
    "Mixture.name=faults",
    "Mixture.vocabulary=policies",
    "Mixture.rates={'policies.causal': 2, 'policies.masked': 1}",
    "policies.train_documents=20",
    "policies.validation_documents=4",
    "decoder_rows.slots=64",
    "decoder_rows.predictions=64",
)
"""What is recorded, each task apart."""

RUN = (
    *MIXTURE,
    "train.optimizer=@adamw",  # compiles sooner than muon
    f"STEPS={STEPS}",
    f"train.checkpoint_every={EVERY}",
    "train.log_every=5",
    "train.keep=3",
)


class Faults:
    """Steps that go wrong: by number, a function in place of the compiled step.

    It is called with the step itself, the state, the batch and the loss shares.
    """

    def __init__(self):
        self.at = {}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """A folder of recorded rows, made by a process of its own: it loads TensorFlow."""
    folder = tmp_path_factory.mktemp("recorded") / "rows"
    words = ["record", "--gin_file=any_mixture.gin", f"--out={folder}", "--workers=1"]
    words += ["--layout=per_objective", "--shard_examples=100", "--held_out_rows=8"]
    bound = [f"--gin.{binding}" for binding in MIXTURE]
    command = [sys.executable, "-m", "sightline", *words, *bound]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


_COMPILED = {}


@pytest.fixture
def faults(monkeypatch):
    """What goes wrong in the runs of `train`; each kind of step is compiled once."""
    found = Faults()
    compile_step = Program.compile_train_step

    def compile_faulty(program):
        key = program.batch_rows, program.spike_deviations
        if key not in _COMPILED:
            _COMPILED[key] = compile_step(program)
        step = _COMPILED[key]

        def faulty(state, batch, shares):
            inject = found.at.get(int(state.step) + 1)
            if inject is None:
                return step(state, batch, shares)
            return inject(step, state, batch, shares)

        return faulty

    monkeypatch.setattr(Program, "compile_train_step", compile_faulty)
    return found


@pytest.fixture
def train(faults, recorded):
    """`train(run_dir, *words, data=…)`: the exit status of a run in this process.

    Words that begin with no dash are bindings; that of `without` is left out.
    """

    def train(run_dir, *words, data=recorded, gin_file="any_mixture.gin", without=None):
        options = [word for word in words if word.startswith("-")]
        bound = [word for word in words if not word.startswith("-")]
        bound = [*SMALL, *RUN, f"train.data={data}", *bound]
        return main(
            [
                *("train", f"--gin_file={gin_file}", f"--run_dir={run_dir}"),
                *(f"--gin.{b}" for b in bound if b.partition("=")[0] != without),
                *options,
            ]
        )

    return train


_WHOLE = []


@pytest.fixture
def whole(train, tmp_path_factory):
    """The directory of a run in this process that nothing happened to."""
    if not _WHOLE:
        folder = tmp_path_factory.mktemp("whole") / "run"
        assert train(folder) == 0
        _WHOLE.append(folder)
    return _WHOLE[0]


_TRIALS = itertools.count()


@pytest.fixture(scope="session")
def trial(recorded, tmp_path_factory):
    """`trial(*bindings, **settings)`: a `Trial` of children on the recorded rows.

    All share a folder, and so what was compiled.
    """
    base = tmp_path_factory.getbasetemp()

    def make(*bindings, environment=None, **settings):
        return Trial(
            folder=base / f"trial-{next(_TRIALS)}",
            bindings=(*RUN, f"train.data={recorded}", *bindings),
            gin_file="any_mixture.gin",
            environment={
                "JAX_COMPILATION_CACHE_DIR": str(base / "compiled"),
                **(environment or {}),
            },
            **settings,
        )

    return make


def outcome(run_dir: Path) -> tuple[list[dict], dict]:
    """What a run's steps computed, and the fingerprints of its newest checkpoint."""
    return trace(run_dir), fingerprints(run_dir, saved_steps(run_dir)[-1])


def flip(path: Path, bit: int) -> None:
    """Flips one bit of a file."""
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def records(path: Path) -> list[dict]:
    """The objects of a file with one in each line."""
    return [json.loads(line) for line in path.read_text().splitlines()]

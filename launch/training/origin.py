"""A run that begins with the parameters of another run's checkpoint.

`train.start_from` names it: `runs/mine`, its newest sound checkpoint, or
`runs/mine@4000`. Parameters are taken over; optimiser, schedule and data begin anew.
A decoder's also make an encoder–decoder (`models.from_decoder`).
"""

import contextlib
import dataclasses
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
from flax import nnx

from ...models.from_decoder import RULE, check_towers, from_decoder
from ...models.rows import Architecture, RowShape
from ...objectives.errors import UsageError, nearest
from ...tasks.examples.mixture import Mixture
from ...tasks.recorded.identity import digest_of
from ..hosts import coordination
from ..hosts.preflight import check_equal
from ..hosts.progress import SLOW, did
from ..runs.literal_path import literal_path
from ..runs.named_arrays import array_structs, as_tree, check_same
from ..runs.run_identity import Origin
from ..runs.verified import (
    CheckpointError,
    checkpoint_steps,
    read_manifest,
    read_verified,
)
from .program import Program
from .same_model import differences
from .state import TrainState, initial_state

_LOG = logging.getLogger(__name__)

_PREFIX = "params."


class Beginning(NamedTuple):
    """The state before the first step, and where its parameters are from."""

    state: TrainState
    origin: Origin


@dataclasses.dataclass(frozen=True)
class OtherRun:
    """A run whose parameters fit a program; none of them is read yet.

    Attributes:
      path: of the run, as it was named.
      steps: of its sound checkpoints by their manifests, the newest first; one if that
        was asked for.
      source: the program whose parameters its checkpoints hold.
      program: that begins with them.
    """

    path: str
    steps: tuple[int, ...]
    source: Program
    program: Program

    def begin(self) -> Beginning:
        """Reads the parameters right into their shards, and makes the state of them.

        Raises:
          CheckpointError: no checkpoint is whole.
        """
        abstract = self.source.abstract_params
        structs, rejected = array_structs(abstract), []
        for step in self.steps:
            did(f"reading the parameters of {self.path}@{step}", times=SLOW)
            try:
                with _checkpoint(self.path, step) as checkpoint:
                    arrays, _ = read_verified(checkpoint, structs, prefix=_PREFIX)
            except CheckpointError as error:
                rejected.append(f"step {step}: {error}")
                _LOG.warning("checkpoint %d of %s: %s", step, self.path, error)
                continue
            origin = Origin(self.path, step, digest_of(_parameters(self.path, step)))
            _LOG.info("Starting from %s.", origin)
            return Beginning(self._state(as_tree(arrays, abstract).params), origin)
        raise CheckpointError(
            f"train.start_from: no checkpoint of {self.path} that was asked for is "
            f"whole ({'; '.join(rejected)}); name another, {self.path}@STEP, or "
            "restore that run from a copy."
        )

    def _state(self, params: Any) -> TrainState:
        """The state before the first step, in its sharding; it consumes `params`."""
        program = self.program
        placement = jax.tree.map(lambda x: x.sharding, program.abstract_state)
        grows = self.source is not program

        def make(params: Any) -> TrainState:
            if grows:
                fresh = nnx.state(program.fresh_model())
                params = from_decoder(params, fresh)
            return initial_state(params, program.transformation)

        if grows:
            _LOG.info("%s is a decoder: %s", self.path, RULE)
        donated = () if grows else (0,)
        with jax.set_mesh(program.mesh):
            compiled = jax.jit(make, donate_argnums=donated, out_shardings=placement)
            return compiled(params)


def other_run(
    start_from: str | None, program: Program, mixture: Mixture, *, run_dir: str
) -> OtherRun | None:
    """The run that one begins with, opened.

    Args:
      start_from: `train.start_from`.
      program: of the present run.
      mixture: of the present run, for its vocabulary.
      run_dir: of the present run.

    Returns:
      None from scratch; and where `run_dir` has a checkpoint, from which the run goes
      on: what it once began with may be gone.

    Raises:
      UsageError: as `open_run`.
    """
    if start_from is None:
        return None
    begun = checkpoint_steps(Path(run_dir) / "checkpoints")
    if coordination.from_first("whether the run has begun", bool(begun)):
        return None
    return open_run(start_from, program, mixture)


def open_run(start_from: str, program: Program, mixture: Mixture) -> OtherRun:
    """The run that is named, once all that can be told without its arrays fits.

    Raises:
      UsageError: there is no such run or step, or its vocabulary or dimensions differ.
      CheckpointError: no checkpoint is sound.
    """
    path, step = _named(start_from)
    sound = _sound(path, step)
    config = _config_of(path)
    manifest = _parameters(path, sound[0])
    check_equal({"train.start_from": json.dumps([sound, config, manifest])})
    source = _source_of(program, manifest)
    differing = list(differences(config, program.model, mixture))
    if differing:
        lines = "\n".join(f"  {line}" for line in differing)
        raise UsageError(
            f"train.start_from = {start_from!r} is a run of another model:\n{lines}\n"
            "Its parameters mean nothing to this one; bind what it has, or start from "
            "a run that has what is bound."
        )
    if source is not program:
        check_towers(program.model)
    check_same(manifest, array_structs(source.abstract_params))
    return OtherRun(path, sound, source, program)


def _named(start_from: str) -> tuple[str, int | None]:
    """Path and step of `runs/mine@4000`; without a step, None.

    Raises:
      UsageError: it is an address, or no run.
    """
    if "://" in start_from:
        raise UsageError(
            f"train.start_from is {start_from!r}, an address; give a folder of a file "
            "system that all hosts see, such as a copy of it."
        )
    path, at, step = start_from.rpartition("@")
    named = bool(at) and step.isascii() and step.isdigit()
    path = path if named else start_from
    if not (Path(path) / "config.gin").is_file():
        folder = Path(path).parent
        runs = [str(p.parent) for p in sorted(folder.glob("*/config.gin"))]
        raise UsageError(
            f"train.start_from is {start_from!r}, and {path!r} holds no run: it has no "
            f"config.gin. Runs beside it: {nearest(path, runs)}"
        )
    return path, int(step) if named else None


def _sound(path: str, step: int | None) -> tuple[int, ...]:
    """The steps to read, the newest first, whose manifests are whole.

    Raises:
      UsageError: there is no checkpoint, or none of that step.
      CheckpointError: the manifest of that step, or of each, is damaged.
    """
    there = checkpoint_steps(Path(path) / "checkpoints")
    there = coordination.from_first("checkpoints to start from", there)
    listed = ", ".join(map(str, there))
    if not there:
        raise UsageError(
            f"train.start_from: {path!r} has no checkpoint yet; train it up to its "
            "first one (train.checkpoint_every)."
        )
    if step is not None and step not in there:
        raise UsageError(
            f"train.start_from: {path!r} has no checkpoint of step {step}; it has "
            f"those of {listed}."
        )
    sound, damaged = [], []
    for number in there if step is None else [step]:
        try:
            _parameters(path, number)
        except CheckpointError as error:
            damaged.append(f"step {number}: {error}")
            _LOG.warning("checkpoint %d of %s: %s", number, path, error)
        else:
            sound.append(number)
    if not sound:
        raise CheckpointError(
            f"train.start_from: no checkpoint of {path!r} that was asked for is sound "
            f"({'; '.join(damaged)}); there are those of {listed}."
        )
    return tuple(sound)


@contextlib.contextmanager
def _checkpoint(path: str, step: int) -> Iterator[Path]:
    with literal_path(Path(path).resolve() / "checkpoints") as opened:
        yield opened / str(step)


def _config_of(path: str) -> str:
    return (Path(path) / "config.gin").read_text("utf-8", errors="replace")


def _parameters(path: str, step: int) -> dict[str, Any]:
    """Shape, type and fingerprint of each parameter of a checkpoint, by name."""
    with _checkpoint(path, step) as checkpoint:
        arrays, _ = read_manifest(checkpoint)
    return {name: entry for name, entry in arrays.items() if name.startswith(_PREFIX)}


def _source_of(program: Program, manifest: Mapping[str, Any]) -> Program:
    """The program whose parameters a checkpoint holds: the same, or a decoder's.

    Raises:
      UsageError: they are an encoder–decoder's and the program is a decoder.
    """
    theirs: Architecture = "decoder"
    if any(name.startswith(f"{_PREFIX}encoder_layers.") for name in manifest):
        theirs = "encoder_decoder"
    if theirs == program.rows.architecture:
        return program
    if theirs == "decoder":
        return dataclasses.replace(program, rows=RowShape(program.rows.decoder))
    raise UsageError(
        "train.start_from is an encoder–decoder, and train.rows is that of a decoder: "
        "its decoder layers have learned to read an encoder's output, and without it "
        "are no language model. Bind train.rows = @encoder_decoder_rows(), or start "
        "from a decoder."
    )

"""What whole runs on tiny models share: compiled programs, and a short table."""

import dataclasses

import jax
import pytest

from sightline.launch.training import report
from sightline.launch.training.program import Program

_TOLD_APART = {field.name for field in dataclasses.fields(Program)} - {"transformation"}


@pytest.fixture(scope="module")
def programs():
    """`programs[method](program)`: what a method of `Program` makes, once a module.

    An optimiser has no equality: programs that differ in it alone are taken for one, so
    a module has one optimiser.
    """
    made = {}

    def kept(name, make):
        def get(program):
            key = name, *(getattr(program, field) for field in sorted(_TOLD_APART))
            if key not in made:
                made[key] = make(program)
            return made[key]

        return get

    def on_the_host(program):
        placement = jax.tree.map(lambda x: x.sharding, program.abstract_state)
        return jax.device_get(initial_state(program)), placement

    initial_state = Program.initial_state
    found = {
        name: kept(name, getattr(Program, name))
        for name in ("compile_train_step", "compile_eval_step")
    }
    fresh = kept("initial_state", on_the_host)
    # A step consumes its state: each run gets a copy.
    return found | {"initial_state": lambda program: jax.device_put(*fresh(program))}


@pytest.fixture(scope="module")
def compiled_once(programs):
    """Runs of the module share programs, and measure one batch for the table of shares
    instead of dozens."""
    with pytest.MonkeyPatch.context() as patch:
        for name, method in programs.items():
            patch.setattr(Program, name, method)
        patch.setattr(report, "measured_batches", lambda batch_rows: 1)
        yield

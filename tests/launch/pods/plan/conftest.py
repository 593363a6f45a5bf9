"""A TPU to compile for, where there is a compiler for it."""

import os

import pytest

from sightline.launch.pods.plan.environment import libtpu_at, prepare
from sightline.launch.pods.plan.names import topology


@pytest.fixture(scope="session")
def tpu():
    """`tpu(name, slices=1)`: the cluster of that name, if libtpu is installed."""
    if libtpu_at() is None:
        pytest.skip("libtpu is not installed, and TPU_LIBRARY_PATH names none")
    from sightline.launch.pods.plan.captured import captured_stderr
    from sightline.launch.pods.plan.devices import cluster

    def make(name: str, slices: int = 1):
        wanted = topology(name, slices=slices)
        prepare(wanted, os.environ)
        with captured_stderr():
            return cluster(wanted)

    return make

"""What tests of many processes share: the launcher, and a prepared corpus."""

import importlib.util
import sys
from pathlib import Path

import pytest


def _load(name: str):
    """A module beside this file: tests are no package."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"processes_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


launch_module = _load("launch")


@pytest.fixture(scope="session")
def launch():
    """The module `launch`."""
    return launch_module


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A folder of documents, prepared once."""
    return launch_module.write_corpus(tmp_path_factory.mktemp("corpus") / "papers")


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """Where prepared corpora of these tests lie."""
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture
def start(tmp_path, corpus, data_dir):
    """`start(run_dir, *bindings, processes=2, devices=4, …)`: a `launch.Run`."""

    def start(run_dir, *bindings, processes=2, devices=4, **settings):
        return launch_module.Run(
            run_dir,
            tmp_path / f"logs-{run_dir.name}-{len(list(tmp_path.iterdir()))}",
            [*launch_module.TINY, f"text.folder={corpus}", *bindings],
            processes=processes,
            devices=devices,
            environment={"SIGHTLINE_DATA_DIR": str(data_dir)},
            **settings,
        )

    return start

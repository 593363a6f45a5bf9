"""Compiled programs are kept, and damaged ones are made again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sightline.launch.hosts.compilation_cache import (
    compilation_cache,
    use_compilation_cache,
)

PROGRAM = """
import os
for name in list(os.environ):
    if name.startswith(("JAX_C", "TF_")):
        del os.environ[name]
from sightline.launch.hosts.compilation_cache import use_compilation_cache
use_compilation_cache()
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
import jax
print(jax.jit(lambda x: (jax.numpy.sin(x) @ x).sum())(jax.numpy.ones((64, 64))))
"""


def run(folder):
    environment = os.environ | {"SIGHTLINE_DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )


def test_programs_come_from_the_cache_quietly(tmp_path):
    first = run(tmp_path)
    files = sorted((tmp_path / "compiled").glob("*-cache"))
    assert files and first.returncode == 0
    second = run(tmp_path)
    assert sorted((tmp_path / "compiled").glob("*-cache")) == files
    assert (second.stdout, second.stderr) == (first.stdout, "")
    for number, file in enumerate(files):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) * number // len(files)])
    third = run(tmp_path)
    assert (third.returncode, third.stdout) == (0, first.stdout)


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path):
    (tmp_path / "compiled").write_text("a file, where a folder should be")
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search("cache", done.stderr)


@pytest.mark.parametrize("named", ["/elsewhere", ""])
def test_the_folder_of_the_environment_wins(named):
    environment = {"JAX_COMPILATION_CACHE_DIR": named, "JAX_PLATFORMS": "tpu"}
    use_compilation_cache(environment)
    assert compilation_cache(environment) == (Path(named) if named else None)
    assert "TF_CPP_MIN_LOG_LEVEL" not in environment  # of an accelerator, all is told

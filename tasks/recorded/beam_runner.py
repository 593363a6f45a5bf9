"""The jobs of a recording as Apache Beam pipelines, for many machines.

The rows are those of any other runner. All machines read and write the recording's
folder, so it lies on a file system that they share.
"""

import importlib
import importlib.util
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...objectives.errors import UsageError
from .. import user_modules
from .parts import Made, Maker
from .recipe import Part
from .token_cache import TokenRange

Job = TokenRange | Part

_MAKERS: dict[bytes, Maker] = {}
"""The maker of each worker process, which keeps what it has opened."""


def beam_runner(
    runner: str, options: Sequence[str] = ()
) -> Callable[[Callable[[], Maker], Sequence[Job]], Iterator[tuple[Job, Made | None]]]:
    """A runner (`record.Runner`) that does the jobs in a Beam pipeline.

    Args:
      runner: Beam's name of it, such as `DirectRunner`.
      options: of the pipeline, `--direct_num_workers=4`.

    Raises:
      UsageError: Apache Beam is not installed.
    """
    if importlib.util.find_spec("apache_beam") is None:
        raise UsageError(
            "--runner needs Apache Beam, which is not installed. It takes an older "
            "protobuf than constraints.txt, so give it an environment of its own: "
            "python3 -m venv beam; beam/bin/pip install 'sightline[beam]' (and "
            "'sightline[beam,corpora]' for corpora of TensorFlow Datasets)."
        )

    def run(
        make: Callable[[], Maker], jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Made | None]]:
        beam = importlib.import_module("apache_beam")
        options_module = importlib.import_module("apache_beam.options.pipeline_options")
        pickled = pickle.dumps((user_modules.expected(), make))
        pipeline_options = options_module.PipelineOptions(
            [f"--runner={runner}", *options]
        )
        with beam.Pipeline(options=pipeline_options) as pipeline:
            _ = (
                pipeline
                | beam.Create([pickle.dumps(job) for job in jobs])
                | beam.Reshuffle()
                | beam.Map(do, pickled)
            )
        # What a job made is on disk, so nothing has to come back through Beam.
        maker = make()
        for job in jobs:
            yield job, maker.made(job)

    return run


def do(job: bytes, make: bytes) -> Any:
    """Does one job in a worker of Beam."""
    if make not in _MAKERS:
        _MAKERS.clear()
        modules, make_maker = pickle.loads(make)
        user_modules.expect(modules)
        _MAKERS[make] = make_maker()
    _MAKERS[make](pickle.loads(job))

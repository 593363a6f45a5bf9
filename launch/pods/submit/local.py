"""Several processes of one run on this machine."""

import sys

from ....objectives.errors import require_count
from .job import CONFIG, TrainJob, check_free
from .rendering import Rendered, heredoc_end, render


def local_script(
    job: TrainJob, *, processes: int, port: int, directory: str
) -> Rendered:
    """A script that starts the processes, and ends when all have ended.

    Args:
      job: what they run.
      processes: their number.
      port: of this machine, on which process 0 listens.
      directory: where they run; relative paths in the config are of there.

    Raises:
      UsageError: a number is out of range.
    """
    require_count("--processes", processes, least=1)
    require_count("--port", port, least=1, most=2**16 - 1)
    check_free(job, "folder", "pids", "prefixes", "number", "status", "result")
    together = {"coordinator": f"127.0.0.1:{port}", "processes": processes}
    text = render(
        "local.sh.j2",
        processes=processes,
        variables=job.variables,
        config_file=CONFIG,
        config=job.config,
        end=heredoc_end(job.config),
        directory=directory,
        command=job.command((sys.executable, "-m", "sightline"), **together),
    )
    return Rendered(text, ("bash",))

"""A batch job of SLURM."""

import re
import sys
from pathlib import PurePosixPath

from ....objectives.errors import UsageError, require_count
from .job import TrainJob, check_free
from .rendering import Rendered, heredoc_end, render


def slurm_script(
    job: TrainJob,
    *,
    nodes: int,
    tasks_per_node: int = 1,
    gpus_per_node: int = 0,
    time: str = "24:00:00",
    grace: int = 120,
    partition: str | None = None,
    account: str | None = None,
) -> Rendered:
    """A script for sbatch; srun starts one process for each task.

    Args:
      job: what they run.
      nodes: machines.
      tasks_per_node: processes of each.
      gpus_per_node: GPUs of each; 0 asks for none.
      time: limit, as SLURM writes it.
      grace: seconds before it at which the run is told to stop.
      partition: to run in; None is the cluster's default.
      account: to charge; None is the user's default.

    Raises:
      UsageError: an argument is malformed.
    """
    require_count("--nodes", nodes)
    require_count("--tasks_per_node", tasks_per_node)
    require_count("--gpus_per_node", gpus_per_node, least=0)
    require_count("--grace", grace, most=65535)
    if not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", time):
        raise UsageError(
            f"--time={time}: write minutes, HH:MM:SS or DAYS-HH:MM:SS, as SLURM does."
        )
    for option, word in (("--partition", partition), ("--account", account)):
        _check_word(option, word)
    check_free(job, "status", "SLURM_JOB_ID")
    # SLURM reads these lines by words, and % in a file name.
    _check_word("--run_dir", job.run_dir)
    run_dir = PurePosixPath(job.run_dir)
    config_path = f"{run_dir}.gin"
    text = render(
        "slurm.sh.j2",
        name=job.name,
        nodes=nodes,
        tasks_per_node=tasks_per_node,
        gpus_per_node=gpus_per_node,
        partition=partition,
        account=account,
        time=time,
        grace=grace,
        variables=job.variables,
        parent=run_dir.parent,
        config_path=config_path,
        config=job.config,
        end=heredoc_end(job.config),
        command=job.command((sys.executable, "-m", "sightline"), gin_file=config_path),
    )
    return Rendered(text, ("sbatch",))


def _check_word(option: str, word: str | None) -> None:
    if word is not None and not re.fullmatch(r"[\w./+@=,-]+", word):
        raise UsageError(
            f"{option}={word!r} stands in an #SBATCH line, which takes letters, digits "
            "and any of . _ / + @ = , - only; give another."
        )

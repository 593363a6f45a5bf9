"""Which job this process belongs to: by flags, or by what its scheduler says."""

import dataclasses
import os
from collections.abc import Mapping

from jax._src.clusters import ClusterEnv

from ...objectives.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Job:
    """One of the processes that train together.

    Attributes:
      coordinator: `HOST:PORT` at which process 0 listens.
      processes: their number, N ≥ 2.
      process: the number of this one, in [0, N).
      cluster: jax's name of the scheduler that started them, "slurm"; None: flags.
    """

    coordinator: str
    processes: int
    process: int
    cluster: str | None = None


def find_job(
    *,
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Job | None:
    """The job of this process; None if it trains alone.

    Flags win over the scheduler. Without them jax's own detection finds a SLURM step,
    a TPU pod, an Open MPI job or a Kubernetes job with indexed pods (a JobSet's).

    Args:
      coordinator: `--coordinator`.
      processes: `--processes`.
      process: `--process`.
      environment: variables of the process; they are read, never shown.

    Raises:
      UsageError: flags that are incomplete or out of range, or a SLURM task that was
        started in a way that does not tell it where its peers are.
    """
    flags = {
        "--coordinator": coordinator,
        "--processes": processes,
        "--process": process,
    }
    missing = [name for name, value in flags.items() if value is None]
    if processes == 1 and process in (None, 0):
        return None
    if coordinator is not None and processes is not None and process is not None:
        return _checked(Job(coordinator, processes, process))
    if len(missing) < len(flags):
        raise UsageError(
            f"{', '.join(missing)} is missing; a run of many processes needs all of "
            "--coordinator=HOST:PORT --processes=N --process=I, the same but for I in "
            "each, with I from 0 to N - 1."
        )
    return _scheduled(environment)


def _scheduled(environment: Mapping[str, str]) -> Job | None:
    """The job of the scheduler that started this process."""
    _check_slurm(environment)
    for cluster in ClusterEnv._cluster_types:
        # A pod that is no part of an indexed job cannot have peers. (The class has no
        # name of its own; it asks the cluster's API.)
        kubernetes = cluster.__name__ == "K8sCluster"
        lone_pod = kubernetes and "JOB_COMPLETION_INDEX" not in environment
        if cluster.opt_in_only_method or lone_pod or not cluster.is_env_present():
            continue
        processes = int(
            environment.get("SLURM_STEP_NUM_TASKS", 0) * (cluster.name == "slurm")
            or cluster.get_process_count()
        )
        if processes == 1:
            return None
        port = environment.get("JAX_COORDINATOR_PORT")
        return _checked(
            Job(
                environment.get("JAX_COORDINATOR_ADDRESS")
                or cluster.get_coordinator_address(None, port),
                processes,
                cluster.get_process_id(),
                cluster.name,
            )
        )
    return None


def _check_slurm(environment: Mapping[str, str]) -> None:
    """Refuses a SLURM task that would train alone beside others that do the same."""
    needed = ("SLURM_STEP_NODELIST", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID")
    task = int(environment.get("SLURM_PROCID", 0))
    tasks = int(environment.get("SLURM_NTASKS", 1))
    missing = [name for name in needed if name not in environment]
    if "SLURM_JOB_ID" in environment and tasks > 1 and missing and task > 0:
        raise UsageError(
            f"SLURM says that this is task {task} of {tasks}, and {missing[0]} is not "
            "set, so that it cannot find the others; start it with `srun sightline "
            "train …`, or give --coordinator, --processes and --process."
        )


def _checked(job: Job) -> Job:
    host, _, port = job.coordinator.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 2**16:
        raise UsageError(
            f"--coordinator is {job.coordinator!r}; write HOST:PORT, the address at "
            "which process 0 listens and all others reach it, as in node001:8476."
        )
    if host in ("*", "0.0.0.0", "[::]", "::"):
        raise UsageError(
            f"--coordinator is {job.coordinator!r}, every address of the machine; name "
            "the one that the other processes reach, since whoever reaches the port "
            "can stop the run."
        )
    if job.processes < 1 or not 0 <= job.process < job.processes:
        raise UsageError(
            f"--process is {job.process} of --processes={job.processes}; processes are "
            "numbered from 0 to N - 1."
        )
    return job

"""TPU VMs of Google Cloud, asked for by a queued resource."""

import re
import shlex

from ....objectives.errors import UsageError, require_count
from .clouds import Slice
from .job import (
    CONFIG,
    TrainJob,
    check_free,
    check_name,
    check_project,
    check_storage,
)
from .rendering import Rendered, heredoc_end, render


def tpu_vm_script(
    job: TrainJob,
    tpu: Slice,
    *,
    zone: str,
    package: str,
    project: str | None = None,
    slices: int = 1,
    share: str | None = None,
    mount: str = "/shared",
    python: str = "python3.11",
    spot: bool = False,
    max_restarts: int = 10,
) -> Rendered:
    """A script that gets the machines, installs Sightline on each, and trains.

    A host starts its process again after status 75, and after other failures
    `max_restarts` times; the processes find each other by the pod's metadata.

    Args:
      job: what they run.
      tpu: each slice.
      zone: where.
      package: what pip installs on the hosts: `sightline[tpu] @ git+https://…`.
      project: None is gcloud's own.
      slices: number of them.
      share: an NFS export, `10.0.0.2:/vol`, that holds the run's directory; None
        leaves it on the disk of the machine, which must be one, and no spot VM.
      mount: where it is mounted.
      python: that the hosts' system can install.
      spot: whether machines may be taken away.
      max_restarts: after failures.

    Raises:
      UsageError: an argument is malformed.
    """
    require_count("--slices", slices)
    require_count("--max_restarts", max_restarts, least=0)
    check_name("--zone", zone)
    check_name("--name", job.name, most=40)
    check_project(project)
    check_free(job, "HOME", "failures", "status")
    if not re.fullmatch(r"python3(\.\d+)?", python):
        raise UsageError(f"--python={python!r}: give python3.11 or a later one.")
    if share is None:
        _check_own_disk(job, hosts=slices * tpu.hosts, spot=spot)
    elif not re.fullmatch(r"[\w.-]+:/[\w./-]*", share):
        raise UsageError(f"--share={share!r}: an NFS export is HOST:/PATH.")
    else:
        check_storage(job, mount=mount, storage=f"--share={share}")
    worker = render(
        "tpu_vm_worker.sh.j2",
        python=python,
        package=package,
        share=share,
        mount=mount,
        variables=job.variables,
        config_file=CONFIG,
        config=job.config,
        end=heredoc_end(job.config),
        command=job.command(("sightline",), require="tpu"),
        max_restarts=max_restarts,
    )
    names = [job.name] if slices == 1 else [f"{job.name}-{i}" for i in range(slices)]
    place = [f"--zone={zone}", *([f"--project={project}"] if project else [])]
    text = render(
        "tpu_vm.sh.j2",
        name=job.name,
        slices=slices,
        zone=zone,
        place=shlex.join(place),
        accelerator_type=tpu.accelerator_type,
        topology=tpu.topology,
        request=shlex.join(tpu.request),
        runtime=tpu.names.runtime,
        spot=spot,
        share=share,
        nodes=names,
        worker=worker,
    )
    return Rendered(text, ("bash",))


def _check_own_disk(job: TrainJob, *, hosts: int, spot: bool) -> None:
    """Refuses a run on disks of machines that are several, or that are taken away."""
    if hosts > 1 or spot:
        raise UsageError(
            f"--run_dir={job.run_dir} is on each machine's own disk, and "
            f"{f'{hosts} machines share a run' if hosts > 1 else 'a spot VM loses it'}"
            "; give --share=HOST:/PATH, an NFS export that holds it below --mount."
        )

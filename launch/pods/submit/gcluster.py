"""The same run as `gcluster job submit` of Google's Cluster Toolkit takes it."""

import shlex

from ...hosts.leaving import STOPPED
from .clouds import Slice
from .gke import check_job, check_names
from .job import TrainJob, check_free, check_project, check_storage
from .rendering import Rendered


def gcluster_script(
    job: TrainJob,
    tpu: Slice,
    *,
    image: str,
    claim: str,
    cluster: str,
    location: str,
    project: str | None = None,
    slices: int = 1,
    mount: str = "/shared",
    queue: str | None = None,
    grace: int = 120,
    max_restarts: int = 10,
) -> Rendered:
    """The command line of Cluster Toolkit that submits the same run.

    The toolkit makes the JobSet, so the config travels in the command, and jax finds
    the hosts by the variables that GKE sets. What it does after status 75 is the
    toolkit's: a restart.

    Args: as of `jobset`, and
      cluster: name.
      location: its region or zone.
      project: None is gcloud's own.

    Raises:
      UsageError: an argument is malformed.
    """
    check_job(image, slices=slices, grace=grace, max_restarts=max_restarts)
    names = {
        "--claim": claim,
        "--queue": queue,
        "--cluster": cluster,
        "--location": location,
    }
    check_names(job, tpu, names, slices=slices)
    check_project(project)
    check_storage(job, mount=mount, storage=f"--claim={claim}")
    check_free(job, "config")
    command = job.command(("sightline",), require="tpu", log="json")
    lines = [
        *(f"export {name}={shlex.quote(v)}" for name, v in job.variables.items()),
        "config=$(mktemp)",
        f'printf %s {shlex.quote(job.config)} >"$config"',
        f'exec {command} --gin_file="$config"',
    ]
    options = {
        "name": job.name,
        "cluster": cluster,
        "location": location,
        "project": project,
        "image": image,
        "compute-type": tpu.accelerator_type,
        "topology": tpu.topology,
        "num-slices": slices,
        "queue": queue,
        "restarts": max_restarts,
        "restart-on-exit-codes": STOPPED,
        "grace-period": f"{grace}s",
        "mount": f"{claim}:{mount}:rw",
        # The toolkit makes it `bash -c` of a pod, where $$ stands for $.
        "command": "\n".join(lines).replace("$", "$$"),
    }
    words = [
        f"--{k}={shlex.quote(str(v))}" for k, v in options.items() if v is not None
    ]
    text = "#!/bin/bash\ngcluster job submit \\\n  " + " \\\n  ".join(words) + "\n"
    return Rendered(text, ("bash",))

"""`sightline submit`: render a training job for GKE, TPU VMs, SLURM or this machine."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...objectives.errors import UsageError, nearest
from ..pods.submit.clouds import Slice, slice_of
from ..pods.submit.gcluster import gcluster_script
from ..pods.submit.gke import jobset
from ..pods.submit.job import TrainJob, default_name, read_variables
from ..pods.submit.local import local_script
from ..pods.submit.preflight import Checked, check_config, check_devices
from ..pods.submit.rendering import Rendered, apply
from ..pods.submit.slurm import slurm_script
from ..pods.submit.tpu_vm import tpu_vm_script
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Render a training job as a system takes it, after the checks that training does first.
Nothing is submitted without --apply.

  sightline submit gke --gin_file=my.gin --run_dir=/shared/runs/mine \\
    --topology=v5p-128 --image=REGISTRY/sightline:1 --claim=shared > job.yaml
  sightline submit gcluster …          the same for `gcluster job submit`
  sightline submit tpu-vm --topology=v6e-64 --zone=us-east5-b --package=… …
  sightline submit slurm --nodes=4 --gpus_per_node=8 …
  sightline submit local --processes=2 …

sightline submit SYSTEM --help lists the options of each.

Status 75 of `sightline train` (stopped by a signal, saved) resumes the run everywhere
but on this machine; status 2 (a wrong argument) ends it.
"""


class System(NamedTuple):
    """How one system is told.

    Attributes:
      add_options: adds its options to a parser.
      render: makes its text of the job, the options and the checked configuration.
    """

    add_options: Callable[[argparse.ArgumentParser], None]
    render: Callable[[TrainJob, argparse.Namespace, Checked], Rendered]


def main(arguments: Sequence[str]) -> int:
    """Prints the text, or gives it to the system; returns the exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_ABOUT, end="")
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in SYSTEMS:
        raise UsageError(f"no system {name!r}; {nearest(name, SYSTEMS)}")
    system = SYSTEMS[name]
    parser = gin_parser(f"submit {name}", _ABOUT)
    _add_common(parser)
    system.add_options(parser)
    options, bindings = parse_gin(parser, rest)
    here = name in ("slurm", "local")  # the same files are there
    run_dir = os.path.abspath(options.run_dir) if here else options.run_dir
    checked = check_config(options.gin_file, bindings, run_dir=run_dir)
    for note in checked.notes:
        print(note, file=sys.stderr)
    job = TrainJob(
        name=options.name or default_name(run_dir),
        run_dir=run_dir,
        config=checked.config,
        options=_passed_on(options),
        variables=read_variables(options.env),
    )
    rendered = system.render(job, options, checked)
    if options.apply:
        apply(rendered)
    print(rendered.text, end="")
    return 0


def _add_common(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--run_dir", required=True, metavar="FOLDER", help="on storage all hosts share")
    add("--name", help="of the job (the last part of --run_dir)")
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the processes; nothing of this shell's is passed on",
    )
    add("--allow", metavar="NAMES", help="as of `sightline train`")
    add("--copy_to", metavar="ADDRESS", help="as of `sightline train`")
    add("--apply", action="store_true", help="submit it, instead of printing it")


def _passed_on(options: argparse.Namespace) -> tuple[str, ...]:
    """What `sightline train` is told as well."""
    given = {"allow": options.allow, "copy_to": options.copy_to}
    passed = [f"--{name}={value}" for name, value in given.items() if value]
    return (*passed, *(f"--import={module}" for module in options.imports))


def _add_tpu(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--topology",
        required=True,
        metavar="SLICE",
        help="a slice of TPUs: v5p-128, v5e-64, v6e:4x8",
    )
    add("--slices", type=int, default=1, metavar="N", help="of that topology (1)")
    add("--mount", default="/shared", help="where the shared storage is (%(default)s)")
    add("--max_restarts", type=int, default=10, help="after failures (%(default)s)")


def _tpu(options: argparse.Namespace, checked: Checked) -> Slice:
    """The slice, once the configuration is known to fit it."""
    tpu = slice_of(options.topology)
    devices = tpu.chips * options.slices
    check_devices(checked, devices=devices, slices=options.slices)
    return tpu


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    _add_tpu(parser)
    add = parser.add_argument
    add("--image", required=True, help="the container's, from a registry")
    add(
        "--claim",
        required=True,
        help="a PersistentVolumeClaim that all pods may write to, for the run",
    )
    add("--queue", help="a LocalQueue of Kueue")
    add(
        "--grace",
        type=int,
        default=120,
        metavar="S",
        help="seconds to save in, when a pod is told to stop (%(default)s)",
    )


def _add_gke(parser: argparse.ArgumentParser) -> None:
    _add_cluster(parser)
    parser.add_argument("--namespace", help="of the JobSet (kubectl's own)")
    parser.add_argument("--service_account", help="of the pods")
    parser.add_argument("--spot", action="store_true", help="on spot nodes")


def _gke(job: TrainJob, options: argparse.Namespace, checked: Checked) -> Rendered:
    names = ("image", "claim", "slices", "mount", "queue", "namespace", "grace")
    names += ("service_account", "spot", "max_restarts")
    return jobset(job, _tpu(options, checked), **_named(options, names))


def _add_gcluster(parser: argparse.ArgumentParser) -> None:
    _add_cluster(parser)
    parser.add_argument("--cluster", required=True, help="name of the GKE cluster")
    parser.add_argument("--location", required=True, help="its region or zone")
    parser.add_argument("--project", help="(gcloud's own)")


def _gcluster(job: TrainJob, options: argparse.Namespace, checked: Checked) -> Rendered:
    names = ("image", "claim", "slices", "mount", "queue", "cluster", "location")
    names += ("project", "grace", "max_restarts")
    return gcluster_script(job, _tpu(options, checked), **_named(options, names))


def _add_tpu_vm(parser: argparse.ArgumentParser) -> None:
    _add_tpu(parser)
    add = parser.add_argument
    add("--zone", required=True, help="us-east5-b")
    add("--project", help="(gcloud's own)")
    add(
        "--package",
        required=True,
        help="what pip installs on every host: 'sightline[tpu] @ git+https://…'",
    )
    add("--share", metavar="HOST:/PATH", help="NFS export to mount at --mount")
    add("--python", default="python3.11", help="to install there (%(default)s)")
    add("--spot", action="store_true", help="spot VMs")


def _tpu_vm(job: TrainJob, options: argparse.Namespace, checked: Checked) -> Rendered:
    names = ("zone", "package", "project", "slices", "share", "mount", "python", "spot")
    names += ("max_restarts",)
    return tpu_vm_script(job, _tpu(options, checked), **_named(options, names))


def _add_slurm(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--nodes", type=int, required=True, metavar="N", help="machines")
    add("--tasks_per_node", type=int, default=1, metavar="N", help="processes (1)")
    add("--gpus_per_node", type=int, default=0, metavar="N", help="GPUs (0)")
    add("--time", default="24:00:00", help="limit (%(default)s)")
    add("--grace", type=int, default=120, metavar="S", help="seconds before it (120)")
    add("--partition", help="(the cluster's default)")
    add("--account", help="(yours)")


def _slurm(job: TrainJob, options: argparse.Namespace, checked: Checked) -> Rendered:
    if options.gpus_per_node:
        devices = options.nodes * options.gpus_per_node
        check_devices(checked, devices=devices, slices=checked.settings["mesh"].slices)
    names = ("nodes", "tasks_per_node", "gpus_per_node", "time", "grace", "partition")
    return slurm_script(job, **_named(options, (*names, "account")))


def _add_local(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--processes", type=int, required=True, metavar="N", help="to start")
    add("--port", type=int, default=8476, help="for process 0 (%(default)s)")


def _local(job: TrainJob, options: argparse.Namespace, checked: Checked) -> Rendered:
    named = _named(options, ("processes", "port"))
    return local_script(job, directory=os.getcwd(), **named)


def _named(options: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names}


SYSTEMS = {
    "gke": System(_add_gke, _gke),
    "gcluster": System(_add_gcluster, _gcluster),
    "tpu-vm": System(_add_tpu_vm, _tpu_vm),
    "slurm": System(_add_slurm, _slurm),
    "local": System(_add_local, _local),
}

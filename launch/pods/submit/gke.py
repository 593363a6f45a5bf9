"""A JobSet of Google Kubernetes Engine.

Restarts (https://jobset.sigs.k8s.io, version 0.10 or later): a pod that ends with
status 75, or that is preempted, ends its Job by the pod failure policy, and the JobSet
begins again without counting that. Status 2, a wrong argument, ends the JobSet. Any
other failure begins it again `max_restarts` times.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from ....objectives.errors import UsageError, require_count
from ...hosts.leaving import STOPPED
from .clouds import Slice
from .job import CONFIG, TrainJob, check_free, check_name, check_storage
from .rendering import Rendered

PORT = 8476
"""At which process 0 listens."""

USER = 1000
"""User and group of the container, those of the project's Dockerfile."""

_JOB = "slice"
"""Name of the replicated job: a pod is called `NAME-slice-I-J-xxxxx`."""

_FOLDER = "/etc/sightline"


def jobset(
    job: TrainJob,
    tpu: Slice,
    *,
    image: str,
    claim: str,
    slices: int = 1,
    mount: str = "/shared",
    queue: str | None = None,
    namespace: str | None = None,
    service_account: str | None = None,
    spot: bool = False,
    grace: int = 120,
    max_restarts: int = 10,
) -> Rendered:
    """Two documents for `kubectl apply`: the config as a ConfigMap, and the JobSet.

    Args:
      job: what the pods run.
      tpu: each slice, a Job of its own with a pod for each host.
      image: of the containers; `sightline` is on its path.
      claim: a PersistentVolumeClaim that all pods may write to (ReadWriteMany).
      slices: number of them.
      mount: where the claim is; the run's directory is below.
      queue: a LocalQueue of Kueue.
      namespace: None is kubectl's own.
      service_account: of the pods; None is the namespace's.
      spot: whether nodes may be taken away.
      grace: seconds that a pod has to save when it is told to stop.
      max_restarts: after failures.

    Raises:
      UsageError: an argument is malformed.
    """
    check_job(image, slices=slices, grace=grace, max_restarts=max_restarts)
    names = {
        "--claim": claim,
        "--queue": queue,
        "--namespace": namespace,
        "--service_account": service_account,
    }
    check_names(job, tpu, names, slices=slices)
    check_storage(job, mount=mount, storage=f"--claim={claim}")
    if PurePosixPath(mount).is_relative_to(_FOLDER):
        raise UsageError(
            f"--mount={mount} is where the pods have the config; mount the claim "
            "elsewhere, as at /shared."
        )
    check_free(job, "SLICE", "JOB_COMPLETION_INDEX")
    pod = _pod(job, tpu, image=image, slices=slices, grace=grace)
    _mount(pod, claim=claim, mount=mount, config=f"{job.name}-config")
    if spot:
        pod["nodeSelector"]["cloud.google.com/gke-spot"] = "true"
    if service_account is not None:
        pod["serviceAccountName"] = service_account
    where = {"namespace": namespace} if namespace else {}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{job.name}-config", **where},
        "data": {CONFIG: job.config},
    }
    labels = {"kueue.x-k8s.io/queue-name": queue} if queue else {}
    # A slice is one node pool, and its Job has it for itself.
    pool = "cloud.google.com/gke-nodepool"
    body = {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {
            "name": job.name,
            **where,
            **({"labels": labels} if labels else {}),
            "annotations": {"alpha.jobset.sigs.k8s.io/exclusive-topology": pool},
        },
        "spec": {
            "failurePolicy": _failure_policy(max_restarts),
            "replicatedJobs": [
                {
                    "name": _JOB,
                    "replicas": slices,
                    "template": {"spec": _job(pod, hosts=tpu.hosts)},
                }
            ],
        },
    }
    return Rendered(_yaml(config) + "---\n" + _yaml(body), ("kubectl", "apply", "-f-"))


def check_names(
    job: TrainJob, tpu: Slice, names: Mapping[str, str | None], *, slices: int
) -> None:
    """Refuses names, by the options that gave them, that Kubernetes would refuse.

    Raises:
      UsageError: a name is no DNS-1123 label, or too long for those of pods.
    """
    # The name of a pod is a DNS label, and Kubernetes' own suffix has six characters.
    suffix = f"-{_JOB}-{slices - 1}-{tpu.hosts - 1}-xxxxx"
    check_name("--name", job.name, most=63 - len(suffix))
    for option, name in names.items():
        if name is not None:
            check_name(option, name)


def _mount(pod: dict[str, Any], *, claim: str, mount: str, config: str) -> None:
    """Gives a pod the shared storage, and the config."""
    pod["volumes"] = [
        {"name": "shared", "persistentVolumeClaim": {"claimName": claim}},
        {"name": "config", "configMap": {"name": config}},
    ]
    pod["containers"][0]["volumeMounts"] = [
        {"name": "shared", "mountPath": mount},
        {"name": "config", "mountPath": _FOLDER, "readOnly": True},
    ]


def check_job(image: str, *, slices: int, grace: int, max_restarts: int) -> None:
    """Refuses what no JobSet can be made of.

    Raises:
      UsageError: an argument is malformed.
    """
    require_count("--slices", slices)
    require_count("--grace", grace)
    require_count("--max_restarts", max_restarts, least=0)
    if not re.fullmatch(r"[\w.:/@-]+", image) or "/" not in image:
        raise UsageError(
            f"--image={image!r} is no image of a registry; write HOST/PROJECT/NAME:TAG "
            "or, so that a restart runs the same code, @sha256:DIGEST for the tag."
        )


def _failure_policy(max_restarts: int) -> dict[str, Any]:
    """What follows when a Job has failed; the first rule that fits counts."""
    policy = ["PodFailurePolicy"]
    return {
        "maxRestarts": max_restarts,
        "rules": [
            {
                "name": "wrong_argument",
                "action": "FailJobSet",
                "onJobFailureReasons": policy,
                # Written by Kubernetes: "Container train for pod … failed with exit
                # code 2 matching FailJob rule at index 0".
                "onJobFailureMessagePatterns": [r"exit code 2 "],
            },
            {
                "name": "resume",
                "action": "RestartJobSetAndIgnoreMaxRestarts",
                "onJobFailureReasons": policy,
            },
        ],
    }


def _job(pod: dict[str, Any], *, hosts: int) -> dict[str, Any]:
    """The Job of a slice: all its pods at once, and none of them twice."""
    statuses = {"containerName": "train", "operator": "In", "values": [2, STOPPED]}
    return {
        "parallelism": hosts,
        "completions": hosts,
        "completionMode": "Indexed",
        "backoffLimit": 0,
        "podFailurePolicy": {
            "rules": [
                {"action": "FailJob", "onExitCodes": statuses},
                {
                    "action": "FailJob",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                },
            ]
        },
        "template": {"spec": pod},
    }


def _pod(
    job: TrainJob, tpu: Slice, *, image: str, slices: int, grace: int
) -> dict[str, Any]:
    """The pod of a host, without volumes."""
    index = "metadata.labels['jobset.sigs.k8s.io/job-index']"
    flags = {
        "coordinator": f"{job.name}-{_JOB}-0-0.{job.name}:{PORT}",
        "processes": slices * tpu.hosts,
    }
    words = job.command(
        ("sightline",),
        gin_file=f"{_FOLDER}/{CONFIG}",
        require="tpu",
        log="json",
        **(flags if slices * tpu.hosts > 1 else {}),
    )
    if slices * tpu.hosts > 1:
        words += f' --process="$((SLICE * {tpu.hosts} + JOB_COMPLETION_INDEX))"'
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": grace,
        "automountServiceAccountToken": False,
        "nodeSelector": {
            "cloud.google.com/gke-tpu-accelerator": tpu.names.gke_accelerator,
            "cloud.google.com/gke-tpu-topology": tpu.topology,
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "train",
                "image": image,
                # Kubernetes puts variables in place of $(NAME), and $ in place of $$.
                "command": ["sh", "-c", f"exec {words}".replace("$", "$$")],
                "env": [
                    {"name": "SLICE", "valueFrom": {"fieldRef": {"fieldPath": index}}},
                    *(
                        {"name": n, "value": _plain(v)}
                        for n, v in job.variables.items()
                    ),
                ],
                "ports": [{"containerPort": PORT}],
                "resources": {"limits": {"google.com/tpu": tpu.chips_per_host}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def _plain(value: str) -> str:
    """A value in which Kubernetes finds no variable."""
    return value.replace("$", "$$")


_NO_TEXT = re.compile(
    r"[-+.]?[\d.].*|y|yes|n|no|on|off|true|false|null|~|", re.IGNORECASE
)


class _Dumper(yaml.SafeDumper):
    """Text of several lines as a block; what stands twice, written twice.

    Text that a reader could take for a number, a truth value or null is quoted: kubectl
    reads `1e3`, `0o17` and `y` so, which PyYAML writes plain.
    """

    def ignore_aliases(self, data: object) -> bool:
        return True


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else '"' if _NO_TEXT.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _block)


def _yaml(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000)

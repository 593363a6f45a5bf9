"""What is submitted, whatever the system: one `sightline train`, and its name."""

import dataclasses
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from ....objectives.errors import UsageError

CONFIG = "sightline.gin"
"""Name of the file that carries the resolved config to machines far away."""

_SECRET = re.compile(
    r"token(?!i[sz])|secret|passw|credential|api_?key|private", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class TrainJob:
    """One training run, to be started on any number of processes.

    Attributes:
      name: of the job, a DNS-1123 label.
      run_dir: an absolute path, the same for all processes.
      config: resolved gin text.
      options: of `sightline train` beside the config and the directory.
      variables: environment of the processes, beside what the system sets.
    """

    name: str
    run_dir: str
    config: str
    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("--name", self.name)
        check_path("--run_dir", self.run_dir)
        for name, value in self.variables.items():
            _check_variable(name, value)

    def command(self, program: Sequence[str], **flags: object) -> str:
        """The command line of a process but for `--gin_file`, quoted for a shell.

        Args:
          program: that is `sightline`, as words.
          flags: further options.
        """
        given = [f"--{name}={value}" for name, value in flags.items()]
        run_dir = f"--run_dir={self.run_dir}"
        return shlex.join([*program, "train", run_dir, *self.options, *given])


def check_name(option: str, name: str, *, most: int = 63) -> None:
    """Refuses what is no DNS-1123 label, which every system takes as a name.

    Args:
      option: that gave it, for the message.
      name: to check.
      most: characters.

    Raises:
      UsageError: it is none, or too long.
    """
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name):
        raise UsageError(
            f"{option}={name!r}: a name is lower-case letters, digits and '-', begins "
            "with a letter and ends with a letter or digit, as in my-run-2."
        )
    if len(name) > most:
        raise UsageError(
            f"{option}={name!r} has {len(name)} characters, and no more than {most} "
            "fit; give a shorter one."
        )


def check_path(option: str, path: str) -> None:
    """Refuses a path that means another place on another machine.

    Raises:
      UsageError: it is not absolute, or not a plain path.
    """
    pure = PurePosixPath(path)
    if not pure.is_absolute() or ".." in pure.parts or "://" in path:
        raise UsageError(
            f"{option}={path!r}: give an absolute path that all machines share, as in "
            "/shared/runs/mine."
        )
    if not path.isprintable():
        raise UsageError(f"{option}={path!r} holds characters that cannot be printed.")


def check_storage(job: TrainJob, *, mount: str, storage: str) -> None:
    """Refuses a run that would not be on the storage that all its machines share.

    Args:
      job: the run.
      mount: where they have the storage.
      storage: the option that names it, for the message: `--claim=shared`.

    Raises:
      UsageError: the run's directory is not below the mount, or that is no such path.
    """
    check_path("--mount", mount)
    if not PurePosixPath(job.run_dir).is_relative_to(mount):
        raise UsageError(
            f"--run_dir={job.run_dir} is not below --mount={mount}, where {storage} "
            "is mounted, and would end with its machine; give "
            f"--run_dir={mount}/runs/{job.name}."
        )


def check_free(job: TrainJob, *names: str) -> None:
    """Refuses variables of a job by names that what starts it needs for itself.

    Raises:
      UsageError: the job has such a variable.
    """
    for name in names:
        if name in job.variables:
            raise UsageError(
                f"--env={name}=… would replace a variable by which the job is started "
                f"({', '.join(names)}); leave it out, or take another name."
            )


def check_project(project: str | None) -> None:
    """Refuses what is no id of a project of Google Cloud; None is gcloud's own.

    Raises:
      UsageError: it is none.
    """
    if project is not None and not re.fullmatch(r"([a-z0-9.-]+:)?[a-z0-9-]+", project):
        raise UsageError(f"--project={project!r} is no id of a project; see gcloud.")


def default_name(run_dir: str) -> str:
    """A name made of the last part of a run's directory."""
    words = re.findall(r"[a-z0-9]+", PurePosixPath(run_dir).name.lower())
    name = "-".join(words)[:40].strip("-")
    return name if name[:1].isalpha() else f"run-{name}".strip("-")


def read_variables(assignments: Sequence[str]) -> dict[str, str]:
    """The variables of `--env=NAME=VALUE` options.

    Raises:
      UsageError: one has no `=`.
    """
    for assignment in assignments:
        if "=" not in assignment:
            raise UsageError(
                f"--env={assignment} has no value; write --env={assignment}=VALUE. "
                "No variable of this shell is passed on."
            )
    return dict(assignment.split("=", 1) for assignment in assignments)


def _check_variable(name: str, value: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UsageError(f"--env={name}=…: {name!r} is no name of a variable.")
    if _SECRET.search(name):
        raise UsageError(
            f"--env={name}=… looks like a secret, and everybody who may read the job "
            "would read it; give the machines an identity of their own instead "
            "(a service account, Workload Identity)."
        )
    if not value.isprintable():
        raise UsageError(f"--env={name}={value!r}: a value is one printable line.")

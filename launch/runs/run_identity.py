"""What a run is, as its checkpoints hold it, and what a resumed run may change."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ...objectives.errors import UsageError, nearest
from ...objectives.registry import objectives
from ...tasks import corpora
from ...tasks.corpora import folder_settings

MAY_CHANGE = (
    "train.steps",
    "train.log_every",
    "train.report_seconds",
    "train.eval_every",
    "train.eval_batches",
    "train.checkpoint_every",
    "train.keep",
    "train.keep_every",
    "train.mesh",
    "train.data",
    "train.data_workers",
    "train.stall_seconds",
    "train.rollbacks",
    "train.check_replicas_every",
    "train.trackers",
    "MeshShape.",
    "Mixture.vocabulary",
    "study.vocabulary",
    *folder_settings(),
)
"""Bindings that a resumed run may change. None alters what a step computes, except that
a schedule of length `train.steps` continues as one of the new length. Corpora and the
vocabulary may lie elsewhere; their contents are compared by their identities."""

_IN_STEPS = ("train.steps", "train.mesh", "MeshShape.")
"""Those of them that change the bits of a step all the same: how long a schedule is,
and the order of sums."""

_OF_ROWS = ("train.mixture", "train.rows", "train.batch_rows", "train.seed")
"""Bindings of `train` on which rows depend."""

_ROW_SHAPES = ("decoder_rows", "encoder_decoder_rows")

IDENTITIES = ("# vocabulary ", "# corpus ", "# mix ", "# recording ")
"""Prefixes of the lines that identify the vocabulary, documents and mixes of a run."""

_ORIGIN = re.compile(r"^# origin (.+)@(\d+) parameters sha256 (\w+)$", re.MULTILINE)
_BINDING = re.compile(r"([^\s#=][^\s=]*) = ")


class Origin(NamedTuple):
    """The checkpoint of another run, whose parameters a run began with.

    Attributes:
      path: of that run, as `train.start_from` names it.
      step: of the checkpoint.
      parameters: sha256 of the name, shape, type and fingerprint of each.
    """

    path: str
    step: int
    parameters: str

    def __str__(self) -> str:
        return f"{self.path}@{self.step} parameters sha256 {self.parameters}"


class RunIdentity(NamedTuple):
    """What a run is.

    Attributes:
      config: resolved gin text.
      identities: of the vocabulary and of each corpus, by content.
      origin: what it began with; None is its seed. It is not compared on resume: the
        run's checkpoints hold it, and what it names may be gone by then.
      defaults: bindings of the config that have their default. One that a saved run
        lacks is of a setting that is newer than that run.
    """

    config: str
    identities: Mapping[str, str]
    origin: Origin | None = None
    defaults: Collection[str] = ()

    @property
    def header(self) -> dict[str, str]:
        """What the comments at the head of `config.gin` say, by name."""
        begun = {} if self.origin is None else {"origin": str(self.origin)}
        return {**self.identities, **begun}


class Change(NamedTuple):
    """A difference between a saved run and the present one; None where it is absent."""

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        lines = [
            f"{sign}{self.name} = {value}"
            for sign, value in (("-", self.before), ("+", self.after))
            if value is not None
        ]
        return "\n".join(lines)


def to_json(run: RunIdentity) -> dict[str, Any]:
    """The identity as a checkpoint holds it."""
    origin = {} if run.origin is None else {"origin": run.origin._asdict()}
    return {"config": run.config, "identities": dict(run.identities), **origin}


def saved_origin(saved: Mapping[str, Any]) -> Origin | None:
    """The origin in what `to_json` gave."""
    return Origin(**saved["origin"]) if "origin" in saved else None


def written_origin(config: str) -> Origin | None:
    """The origin at the head of a `config.gin`."""
    found = _ORIGIN.search(config)
    return Origin(found[1], int(found[2]), found[3]) if found else None


def check_same_run(
    saved: Any, now: RunIdentity, *, allow: Sequence[str] = ()
) -> list[Change]:
    """Compares the run of a checkpoint with the present one.

    Args:
      saved: what `to_json` gave when the checkpoint was saved.
      now: the present run.
      allow: names of bindings (`adamw.b1`), or what they begin with up to a dot
        (`adamw`), that may differ beside `MAY_CHANGE`.

    Returns:
      What differs, all of it allowed.

    Raises:
      UsageError: something differs that may not, or a name in `allow` is no binding.
    """
    if not isinstance(saved, dict) or not {"config", "identities"} <= saved.keys():
        raise UsageError(
            "the checkpoint does not say which run it is of: an earlier version of "
            "Sightline saved it. Resume it with that version, or give another "
            "--run_dir."
        )
    before = bindings_of(saved["config"])
    check_allowed(allow, {**before, **bindings_of(now.config)})
    changes = _changed_bindings(before, now)
    identities = _changes(saved["identities"], now.identities)
    refused = [c for c in changes if not _may_change(c.name, allow)]
    if refused or identities:
        raise UsageError(_refusal(refused, identities))
    return changes


def differences_of_step(
    before: Mapping[str, str], saved: str, now: RunIdentity
) -> list[Change]:
    """In what a step that is computed with the present config may come out otherwise.

    Args:
      before: bindings with which the step was computed.
      saved: a `config.gin` of the run, whose head has its identities.
      now: the present config.
    """
    changes = [
        change
        for change in _changed_bindings(before, now)
        if not _moves(change.name) or _begins(change.name, _IN_STEPS)
    ]
    identities: dict[str, str] = {}
    for line in saved.splitlines():
        if line.startswith(IDENTITIES):
            # Both the name and the value may have spaces.
            known = (name for name in now.identities if line.startswith(f"# {name} "))
            name = next(known, line[2:].rpartition(" ")[0])
            identities[name] = line.removeprefix(f"# {name} ")
    return changes + _changes(identities, now.identities)


def _changed_bindings(before: Mapping[str, str], now: RunIdentity) -> list[Change]:
    """What differs in the present config, but for new bindings of defaults."""
    return [
        change
        for change in _changes(before, bindings_of(now.config))
        if change.before is not None or change.name not in now.defaults
    ]


def bindings_of(config: str) -> dict[str, str]:
    """The bindings of resolved gin text by name; a value may take several lines."""
    found: dict[str, str] = {}
    name = None
    for line in config.splitlines():
        if match := _BINDING.match(line):
            name = match.group(1)
            found[name] = line[match.end() :]
        elif name and line.startswith(" "):
            found[name] += f"\n{line}"
        else:
            name = None
    return found


def compared_lines(config: str) -> list[str]:
    """The lines of a `config.gin` that a continued run must repeat.

    Its identities come first, sorted, since nothing depends on their order.
    """
    lines = [line for line in config.splitlines() if line.strip()]
    repeated = sorted(line for line in lines if line.startswith(IDENTITIES))
    moves = False
    for line in lines:
        if not line.startswith(" "):  # else it goes on with the value of a binding
            moves = line.startswith("#") or _moves(line)
        if not moves:
            repeated.append(line)
    return repeated


def without(config: str, names: Collection[str]) -> str:
    """Resolved gin text without some bindings (`study.points`), of any length."""
    every = "|".join(map(re.escape, names))
    return re.sub(rf"(?m)^(?:{every}) =.*\n(?:[ }})\]].*\n)*", "", config)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def is_of_data(binding: str) -> bool:
    """Whether rows depend on a binding that a run may change only by name."""
    name = binding.rpartition("/")[2]
    of = name.partition(".")[0]
    data = {"Mixture", *_ROW_SHAPES, *objectives(), *corpora.names()}
    return name in _OF_ROWS or (of in data and not _moves(binding))


def _may_change(name: str, allow: Sequence[str]) -> bool:
    return _moves(name) or any(_covers(a, name) for a in allow)


def _moves(binding: str) -> bool:
    """Whether a binding is among `MAY_CHANGE`, under whatever scope."""
    return _begins(binding, MAY_CHANGE)


def _begins(binding: str, beginnings: tuple[str, ...]) -> bool:
    name = binding.partition(" ")[0]
    return name.rpartition("/")[2].startswith(beginnings)


def _covers(allowed: str, name: str) -> bool:
    return name == allowed or name.startswith((f"{allowed}.", f"{allowed}/"))


def check_allowed(allow: Sequence[str], bindings: Mapping[str, str]) -> None:
    """Refuses a name to allow that none of the bindings has.

    Raises:
      UsageError: names it.
    """
    for allowed in allow:
        if not any(_covers(allowed, name) for name in bindings):
            raise UsageError(
                f"--allow={allowed}: neither the saved run nor this one binds that; "
                + nearest(allowed, bindings)
            )


def _refusal(refused: Sequence[Change], identities: Sequence[Change]) -> str:
    lines = ["this run directory holds a run of another config:"]
    lines += ["--- saved", "+++ now", *map(str, (*refused, *identities))]
    if identities:
        what = ", ".join(change.name for change in identities)
        lines.append(
            f"Other text or another vocabulary under the same name ({what}) makes "
            "another run: restore it, or give this run another --run_dir."
        )
    else:
        names = ",".join(change.name for change in refused)
        lines.append(
            "Resume it with its own config, give this run another --run_dir, or let "
            f"it change from here on: --allow={names}"
        )
    return "\n".join(lines)

"""The faults that a run must survive, and the table of how it did."""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Fault(NamedTuple):
    """One row of the scoreboard.

    Attributes:
      name: what goes wrong.
      injected: how it is made to.
      required: what has to come of it.
    """

    name: str
    injected: str
    required: str


EXACT = "resumes bit for bit"

FAULTS = {
    1: Fault("SIGTERM", "at a random step; 1 and 2 processes", f"{EXACT}; exit ≤ 30 s"),
    2: Fault("a process is killed", "SIGKILL, worker or coordinator", f"{EXACT}"),
    3: Fault("killed while saving", "SIGKILL within a save", f"{EXACT}"),
    4: Fault("exception in one process", "raised at a step", "all exit ≤ 15 s, cause"),
    5: Fault("mistake in a gin file", "12 mutations", "error before compiling"),
    6: Fault("rows repeated or left out", "5 cuts of a mixture's rows", "same rows"),
    7: Fault("other mesh or processes", "8, 4, 2 devices; 2 × 4, 4 × 2", "loss ≤ 1e-6"),
    8: Fault("id outside the vocabulary", "in a recorded row; −1 too", "error, shard"),
    9: Fault("NaN or Inf", "first, early, late step; a streak", "skips exactly those"),
    10: Fault("spike", "one batch's loss × 1,000", "skipped; goes back; saves go on"),
    11: Fault("end at the last step", "slow disk", "last step committed"),
    12: Fault("disk full", "a small tmpfs; ulimit -f", "error; goes on when freed"),
    13: Fault("newest checkpoint unusable", "empty, halved, file gone", "falls back"),
    14: Fault("bit flip in a checkpoint", "100 flips", "all found, array named"),
    15: Fault("other shapes or names", "config edited", "error, nothing cast"),
    16: Fault("process alive but stuck", "SIGSTOP", "stacks; exit within the limit"),
    17: Fault("run directory not shared", "two folders", "error ≤ 30 s"),
    18: Fault("processes disagree", "config, code, number", "error, process named"),
    19: Fault("two runs in one directory", "started twice", "second refused; expires"),
    20: Fault("input worker dies", "SIGKILL; exception", "error with the cause"),
    21: Fault("damaged shard", "flips, cut, empty, missing", "error, shard named"),
    22: Fault("data changed on resume", "weights, seed, batch", "error, difference"),
    23: Fault("peer never starts", "1 of 2; port busy", "error within the limit"),
    24: Fault("other vocabulary", "one byte of the model", "error, digests"),
    25: Fault("copies differ", "one bit in one copy", "found, device named"),
    26: Fault("miscomputed step", "one bit in a step", "transient or persistent"),
    27: Fault("untrusted gin file", "10 payloads", "refused, nothing executed"),
    28: Fault("pickle", "in npz, checkpoint, cache", "refused"),
    29: Fault("path of a run", "../x, links", "refused"),
    30: Fault("secrets", "canary in the environment", "in no file and no log"),
}
"""By number; the order is about how often a long run on many hosts meets them."""


@dataclasses.dataclass
class Score:
    """How the trials of one fault went.

    Attributes:
      trials: that were made.
      failures: of them, with another outcome than the required one.
      seconds: until each fault was noticed, where that can be timed.
      steps_lost: steps that had to be taken again, where there are any.
    """

    trials: int = 0
    failures: int = 0
    seconds: list[float] = dataclasses.field(default_factory=list)
    steps_lost: list[int] = dataclasses.field(default_factory=list)


def markdown(scores: dict[int, Score], *, before: str = "") -> str:
    """The scoreboard as a Markdown table, one row for each fault that was tried.

    Args:
      scores: by the number of the fault.
      before: an earlier table; its rows of other faults are taken over.
    """
    header = (
        "#", "fault", "injected", "required", "trials", "as required",
        "noticed after, s: median / most", "steps taken again, most",
    )  # fmt: skip
    rows = {
        int(line.split("|")[1]): line
        for line in before.splitlines()
        if line.startswith("| ") and line.split("|")[1].strip().isdecimal()
    }
    for number, score in scores.items():
        fault = FAULTS[number]
        seconds = "–"
        if score.seconds:
            middle = statistics.median(score.seconds)
            seconds = f"{middle:.1f} / {max(score.seconds):.1f}"
        passed = f"{score.trials - score.failures}"
        lost = str(max(score.steps_lost)) if score.steps_lost else "–"
        trials = str(score.trials)
        rows[number] = _row([str(number), *fault, trials, passed, seconds, lost])
    lines = [_row(header), _row(["---"] * len(header))]
    lines += [row for _, row in sorted(rows.items())]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""A file of questions to a file of answers: killed at any time, it goes on.

Rows are answered in batches of a fixed number from the first row on, and a batch that
was cut short is answered again whole, so what is written is a function of the input,
the model and the settings, wherever the job was interrupted.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import jax
from flax import nnx

from ...objectives.errors import UsageError
from ...tasks.files import sha256_of, write_whole
from ...tasks.recorded.identity import differences, digest_of
from ..runs.fingerprint import fingerprints
from .asked import AskedModel
from .mode import Mode
from .settings import Settings
from .trained_forms import Form

ANSWER = "answer"
"""The key of a line of output that holds the answer; the others are its input's."""


class Job(NamedTuple):
    """Questions of a file, all of which can be asked.

    Attributes:
      rows: of the input, as they stand there.
      questions: of the mode, one a row.
      identity: of the input, the model and the settings.
    """

    rows: Sequence[Mapping[str, Any]]
    questions: Sequence[Any]
    identity: Mapping[str, Any]


def read_job(
    source: Path, asked: AskedModel, mode: Mode, form: Form, settings: Settings
) -> Job:
    """Reads the questions of a JSONL file, and checks every one of them.

    Raises:
      UsageError: a line is no JSON object, or cannot be asked; the message gives its
        number.
    """
    if not source.is_file():
        raise UsageError(f"--input: there is no file {str(source)!r}.")
    rows, questions = [], []
    for number, line in _lines(source):
        where = f"{source}, line {number}"
        row = _object(line, where)
        if ANSWER in row:
            raise UsageError(
                f"{where} has a key {ANSWER!r}, under which the output holds what the "
                "model answers; rename it."
            )
        try:
            questions.append(mode.ask(asked, row, len(rows), form, settings))
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
        rows.append(row)
    if not rows:
        raise UsageError(f"{source} has no line; write one question a line.")
    identity = {
        "input": {"sha256": sha256_of(source)},
        "model": model_identity(asked),
        "settings": {
            "mode": mode.name,
            "form": form,
            "batch_rows": asked.batch_rows,
            **_read_settings(mode, settings),
        },
    }
    return Job(rows, questions, json.loads(json.dumps(identity)))


def answer_file(
    job: Job,
    out: Path,
    asked: AskedModel,
    mode: Mode,
    form: Form,
    settings: Settings,
    *,
    progress: Callable[[int, int], object],
) -> int:
    """Answers what of a job is not answered yet, and appends it line by line.

    Beside the output stands `OUT.job.json`, which says what it belongs to. Each batch
    is on disk before the next one begins.

    Args:
      job: the questions.
      out: the output; its lines are those of the input, each with its answer.
      asked: the model.
      mode: of asking.
      form: of asking.
      settings: of asking.
      progress: called with the rows that are answered and the tokens written since.

    Returns:
      How many rows were answered before.

    Raises:
      UsageError: the output belongs to another job, or is being written.
    """
    with _claimed(out, job) as (file, done):
        progress(done, 0)
        if done == len(job.rows):
            return done  # and the last batch, if it is short, is not asked again
        size = asked.batch_rows
        for first in range(done // size * size, len(job.rows), size):
            batch = job.questions[first : first + size]
            answers = mode.answer(asked, batch, form, settings, None)
            rows = job.rows[first : first + size]
            lines = [
                _line(row, answer.line())
                for row, answer in zip(rows, answers, strict=True)
            ]
            file.write("".join(lines[max(done - first, 0) :]).encode())
            file.flush()
            os.fsync(file.fileno())
            tokens = sum(int(answer.fields.get("tokens", 0)) for answer in answers)
            progress(first + len(batch), tokens)
    return done


def model_identity(asked: AskedModel) -> dict[str, Any]:
    """What identifies the parameters of a model, on any mesh."""
    state = nnx.to_pure_dict(nnx.state(asked.trained.model))
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    arrays = {jax.tree_util.keystr(path): array for path, array in leaves}
    return {"step": asked.trained.step, "parameters": digest_of(fingerprints(arrays))}


def _read_settings(mode: Mode, settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in sorted(mode.reads)}


@contextlib.contextmanager
def _claimed(out: Path, job: Job) -> Iterator[tuple[IO[bytes], int]]:
    """The output, opened to append behind its whole lines, and how many they are."""
    beside = out.with_name(f"{out.name}.job.json")
    if not out.parent.is_dir():
        raise UsageError(
            f"--output: there is no folder {str(out.parent)!r}; make it first."
        )
    if out.is_dir():
        raise UsageError(f"--output: {str(out)!r} is a folder; name a file in it.")
    if out.exists() and not out.is_file():
        raise UsageError(
            f"--output: {str(out)!r} is a device or a pipe, from which no job can go "
            "on; name a file."
        )
    exists = out.exists() and out.stat().st_size > 0
    if exists and beside.exists():
        _check_same(beside, job, out)
    elif exists:
        raise UsageError(
            f"{out} is there already, and no {beside.name} beside it says what it "
            "belongs to; give another --output, or remove it."
        )
    with out.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another process is writing {out}; wait for it, or stop it."
            ) from None
        if not exists:
            write_whole(beside, json.dumps(job.identity, indent=2) + "\n")
        yield file, _whole_lines(file, job, out)


def _check_same(beside: Path, job: Job, out: Path) -> None:
    """Refuses an output of another job."""
    try:
        before = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError:
        raise UsageError(
            f"{beside} is damaged, so nothing says what {out.name} belongs to; remove "
            "both, or give another --output."
        ) from None
    changed = differences(before, job.identity)
    if changed:
        raise UsageError(
            f"{out} belongs to another job ({'; '.join(changed)}); give another "
            f"--output, or remove it and {beside.name}."
        )


def _whole_lines(file: IO[bytes], job: Job, out: Path) -> int:
    """Cuts off a half-written last line, and counts the lines, which must be ours."""
    file.seek(0)
    count = end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        if count >= len(job.rows) or not _answers(line, job.rows[count]):
            raise UsageError(
                f"{out}, line {count + 1}, answers another row than the input's; give "
                "another --output, or remove it."
            )
        count, end = count + 1, end + len(line)
    file.truncate(end)
    file.seek(end)
    return count


def _answers(line: bytes, row: Mapping[str, Any]) -> bool:
    try:
        written = json.loads(line)
    except ValueError:
        return False
    return (
        isinstance(written, dict)
        and ANSWER in written
        and written
        == {
            **row,
            ANSWER: written[ANSWER],
        }
    )


def _line(row: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    return json.dumps({**row, ANSWER: answer}, ensure_ascii=False) + "\n"


def _lines(source: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1."""
    with source.open("rb") as file:
        yield from (
            (number, line) for number, line in enumerate(file, 1) if line.strip()
        )


def _object(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
        # It must be written again: no NaN, and no half of a surrogate pair.
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{where} is no JSON ({error}); write one object a line."
        ) from None
    if not isinstance(row, dict):
        raise UsageError(f"{where} is no JSON object; write {{...}}, one a line.")
    return row

"""The command `sightline`: finds the file of a subcommand and runs it.

`sightline train` is `commands/train.py`, `sightline mix show` is
`commands/mix_show.py`. The first line of a file's docstring is its help; its
`main(arguments)` returns the exit status.
"""

import ast
import errno
import importlib
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ..objectives.errors import UsageError, nearest
from .hosts.leaving import leave

_FOLDER = Path(__file__).with_name("commands")


def commands() -> dict[str, Path]:
    """The file of every subcommand by its name (one or two words), `train` first."""
    files = sorted(_FOLDER.glob("[!_]*.py"), key=lambda f: (f.stem != "train", f.stem))
    return {file.stem.replace("_", " "): file for file in files}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a subcommand.

    A `UsageError` gives one message and exit status 2, and so does a file-system error
    on a path that is not Sightline's own; anything else keeps its traceback, with exit
    status 1. Where the reader of standard output has gone (`| head`) it is 141, as of
    a program that SIGPIPE ends.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path need not be Unicode; it is shown as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(words)
        sys.stdout.flush()  # here, where its failure can still be told
        return status
    except BrokenPipeError:
        _discard_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        _discard_output()
        return _fail(f"standard output cannot be written: {error.strerror}.")


def script() -> NoReturn:
    """The command as a process of its own.

    A thread that still reads text in a library, and may never return, is left behind:
    Python's way out would stop it in mid-call, which aborts the process.
    """
    status = main()
    if any(thread.name == "sightline-reader" for thread in threading.enumerate()):
        leave(status)
    sys.exit(status)


def _run(words: Sequence[str]) -> int:
    """Runs a subcommand, and reports its errors on standard error."""
    if not words or words[0] in ("-h", "--help"):
        print(_usage(commands()))
        return 0 if words else 2
    if words[0] == "--version":
        print(f"sightline {importlib.import_module('..', __package__).__version__}")
        return 0
    try:
        name, rest = _command(words)
        if name not in commands():
            print(_usage({n: f for n, f in commands().items() if _is_in(n, name)}))
            return 0 if rest else 2
        module = importlib.import_module(
            f".commands.{commands()[name].stem}", __package__
        )
        return module.main(rest)
    except KeyboardInterrupt:
        return 130
    except UsageError as error:
        return _fail(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            return _fail(f"{error.strerror}: a file or standard output is full.")
        if _is_users_path(error.filename):
            return _fail(
                f"{str(error.filename)!r}: {error.strerror}; check the path and who "
                "may read or write it, or give another one."
            )
        traceback.print_exc()
        return 1
    except Exception:
        traceback.print_exc()
        return 1


def _command(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Splits the words into the name of a subcommand, or of a group, and the rest.

    Raises:
      ValueError: there is no such command; the message names the nearest.
    """
    names = commands()
    first, *rest = words
    if first in names:
        return first, rest
    group = [name for name in names if _is_in(name, first)]
    if not group:
        first_words = {name.partition(" ")[0] for name in names}
        raise UsageError(f"no command {first!r}; {nearest(first, first_words)}")
    if not rest or rest[0] in ("-h", "--help"):
        return first, rest
    name = f"{first} {rest[0]}"
    if name not in names:
        raise UsageError(f"no command {name!r}; {nearest(name, group)}")
    return name, rest[1:]


def _is_in(name: str, group: str) -> bool:
    return name.startswith(f"{group} ")


def _is_users_path(path: object) -> bool:
    """Whether a failed path is the user's, not Sightline's or Python's own."""
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    here, floors = Path(__file__), ("objectives", "models", "tasks", "diagnosis")
    packages = {file.parents[1] for file in (here.absolute(), here.resolve())}
    installed = [Path(sys.prefix).resolve()]
    installed += [p / floor for p in packages for floor in (*floors, "launch", "gin")]
    failed = Path(os.path.abspath(os.fsdecode(path)))
    return not any(failed.is_relative_to(folder) for folder in installed)


def _usage(listed: dict[str, Path]) -> str:
    lines = [f"  {name:<12} {_about(file)}" for name, file in listed.items()]
    return "\n".join(
        [
            "usage: sightline COMMAND [options]",
            "",
            *lines,
            "",
            "sightline COMMAND --help says more.",
        ]
    )


def _about(file: Path) -> str:
    """A command's summary, read from its file: importing them all takes seconds."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].partition(": ")[2].rstrip(".")


def _discard_output() -> None:
    """Points standard output at nothing: Python flushes it once more at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def _fail(message: str) -> int:
    print(f"sightline: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    script()

"""Text that a system takes, and the command that gives it to the system."""

import os
import shlex
import shutil
import signal
import sys
import tempfile
from typing import NamedTuple, NoReturn

import jinja2

from ....objectives.errors import UsageError


class Rendered(NamedTuple):
    """A job as one text.

    Attributes:
      text: to be printed, read, kept.
      apply: the words of the command that reads it from standard input.
    """

    text: str
    apply: tuple[str, ...]


def render(template: str, **values: object) -> str:
    """A script of this folder, filled in; a value that is missing is an error.

    Templates quote what comes from outside by the filter `quote`.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__name__.rpartition(".")[0], "."),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # a shell's quotes are not HTML's
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quote"] = lambda value: shlex.quote(str(value))
    return environment.get_template(template).render(values)


def heredoc_end(text: str) -> str:
    """A line that ends a here-document and is none of its own."""
    end = "END_OF_CONFIG"
    while end in text.splitlines():
        end += "_"
    return end


def apply(rendered: Rendered) -> NoReturn:
    """Becomes the command, with the text as its standard input.

    This process is replaced, so that the command's signals and status are its own.

    Raises:
      UsageError: the command is not installed.
    """
    program = shutil.which(rendered.apply[0])
    if program is None:
        raise UsageError(
            f"--apply runs `{shlex.join(rendered.apply)}`, and there is no "
            f"{rendered.apply[0]} here; install it, or leave --apply out and give the "
            "text that is printed to one elsewhere."
        )
    with tempfile.TemporaryFile() as file:
        file.write(rendered.text.encode())
        file.seek(0)
        os.dup2(file.fileno(), 0)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    signal.signal(
        signal.SIGPIPE, signal.SIG_DFL
    )  # Python ignores it, and exec keeps that
    os.execv(program, rendered.apply)

"""Parsing that subcommands share: gin files, bindings, unknown options."""

import argparse
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ...objectives.errors import UsageError, nearest
from ...tasks.user_modules import import_modules

PATHS = ("FILE", "FOLDER", "DIR", "PATH", "RUN", "RUN_DIR", "ADDRESS", "MODULE")
"""What options of paths are shown to take."""


def gin_parser(
    command: str, about: str, *, files: Literal["needed", "optional"] = "needed"
) -> argparse.ArgumentParser:
    """The parser of a subcommand that reads gin files and bindings."""
    parser = argparse.ArgumentParser(
        f"sightline {command}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--gin_file",
        action="append",
        required=files == "needed",
        default=[],
        metavar="FILE",
        help="a path, or the name of a shipped file; later files win",
    )
    parser.add_argument(
        "--gin.NAME",
        dest="_",
        metavar="VALUE",
        help="binds a parameter, --gin.adamw.b1=0.8; wins over the files",
    )
    add_import(parser)
    return parser


def add_import(parser: argparse.ArgumentParser) -> None:
    """Adds `--import`, of modules for `import_modules`, as `parse_gin` gives them."""
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module of yours, by name or path: its SeqIO Tasks or failures",
    )


def parse_gin(
    parser: argparse.ArgumentParser, arguments: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
    """Parses the arguments of a `gin_parser`: options, and bindings `NAME=VALUE`.

    A binding is written `--gin.NAME=VALUE` or `--gin.NAME VALUE`. What `--import` names
    is imported.
    """
    bindings: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for word in remaining:
        if not word.startswith("--gin."):
            rest.append(word)
            continue
        binding = word.removeprefix("--gin.")
        if "=" not in binding:
            value = next(remaining, None)
            if value is None:
                raise UsageError(f"{word} has no value; write {word}=VALUE.")
            binding = f"{binding}={value}"
        bindings.append(binding)
    options = parse(parser, rest)
    import_modules(options.imports)
    return options, bindings


def require_file(option: str, path: Path) -> None:
    """Refuses a path at which no file can be written, before any work is done."""
    try:
        target = path.resolve()  # what `write_whole` writes
        _require_parent(option, target if path.is_symlink() else path)
        if target.is_dir():
            raise UsageError(f"{option}: {str(path)!r} is a folder; name a file in it.")
        if target.is_file() or not target.exists():  # a device is written as it is
            with tempfile.TemporaryFile(dir=target.parent):
                pass
    except (OSError, RuntimeError) as error:  # the latter of links in a circle
        reason = error.strerror if isinstance(error, OSError) else None
        raise UsageError(
            f"{option}: cannot write {str(path)!r}: {reason or error}; give another "
            "path."
        ) from error


def require_folder(option: str, path: Path) -> None:
    """Refuses a path at which no folder is, and none can be made in its own folder."""
    _require_parent(option, path)
    require_folders(option, path)


def require_folders(option: str, path: Path) -> None:
    """Refuses a path at which no folder is, and none can be made, with its parents."""
    try:
        there = next(p for p in (path, *path.parents) if p.exists())
        if not there.is_dir():
            raise UsageError(f"{option}: {str(there)!r} is a file; name a folder.")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise UsageError(
            f"{option}: cannot write {str(path)!r}: {error.strerror}; give another "
            "path."
        ) from error


def _require_parent(option: str, path: Path) -> None:
    if not path.absolute().parent.is_dir():
        raise UsageError(
            f"{option}: there is no folder {str(path.parent)!r} for {str(path)!r}; "
            "make it, or give another path."
        )


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str]
) -> argparse.Namespace:
    """Parses a subcommand's arguments.

    Raises:
      ValueError: an unknown option; the message names the nearest.
    """
    # Positional words may stand on either side of options.
    known, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown:
        options = [o for action in parser._actions for o in action.option_strings]
        name = unknown[0].partition("=")[0]
        raise UsageError(f"no option {name!r}; {nearest(name, options)}")
    _refuse_empty_paths(parser, arguments, known)
    return known


def _refuse_empty_paths(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str],
    known: argparse.Namespace,
) -> None:
    """Refuses "" for a path, which would mean the working directory, or none."""
    pairs = set(itertools.pairwise(arguments))
    for action in parser._actions:
        if action.metavar not in PATHS:
            continue
        for option in action.option_strings:
            if f"{option}=" in arguments or (option, "") in pairs:
                out = "" if action.required else ", or leave it out"
                raise UsageError(
                    f"{option} is empty; give {option}={action.metavar}{out}."
                )
        if not action.option_strings and getattr(known, action.dest) == "":
            raise UsageError(f"{action.metavar} is empty; give its path.")

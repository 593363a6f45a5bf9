"""The command `sightline`: a table of subcommands, each imported only when it runs."""

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import Literal

from ..objectives.errors import nearest

COMMANDS = {
    "train": ("train a model on a mixture of objectives", ".train_command"),
    "mix": ("see what a mixture does: show, preview, diff", ".mix_command"),
    "audit": ("prove that no slot sees what it must not", ".audit_command"),
    "corpus": (
        "look at a corpus: size, entropy, baselines; write it out",
        ".corpus_command",
    ),
    "diagnose": (
        "measure the three failures, find causes, write a memo and a revised mixture",
        ".diagnose_command",
    ),
    "study": ("train mixes side by side and compare what they do", ".study_command"),
    "bench": ("time a configuration's steps and packing, side by side", ".bench"),
    "doctor": ("say what is installed, what is missing and how to get it", ".doctor"),
}
"""Help and module by name; the module's `main(arguments)` returns the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a subcommand.

    A mistake of the user's (an error that Sightline's own code raises) is one message
    and exit status 2; anything else keeps its traceback and is status 1.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(_usage())
        return 0 if words else 2
    if words[0] not in COMMANDS:
        return _mistake(f"no command {words[0]!r}; {nearest(words[0], COMMANDS)}")
    try:
        command = importlib.import_module(COMMANDS[words[0]][1], __package__)
        return command.main(words[1:])
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if _is_ours(error):
            return _mistake(str(error))
        traceback.print_exc()
        return 1


def gin_parser(
    command: str, about: str, *, files: Literal["needed", "optional"] = "needed"
) -> argparse.ArgumentParser:
    """A parser of a subcommand that reads gin files and bindings."""
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
    return parser


def parse_gin(
    parser: argparse.ArgumentParser, words: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
    """Parses the arguments of a `gin_parser`: options, and bindings `NAME=VALUE`."""
    bindings = [w.removeprefix("--gin.") for w in words if w.startswith("--gin.")]
    return parse(parser, [w for w in words if not w.startswith("--gin.")]), bindings


def parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parses a subcommand's arguments.

    Raises:
      ValueError: an unknown option; the message names the nearest.
    """
    known, unknown = parser.parse_known_args(words)
    if unknown:
        options = [o for action in parser._actions for o in action.option_strings]
        name = unknown[0].partition("=")[0]
        raise ValueError(f"no option {name!r}; {nearest(name, options)}")
    return known


def _usage() -> str:
    lines = [f"  {name:<8} {text}" for name, (text, _) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: sightline COMMAND [options]",
            "",
            *lines,
            "",
            "sightline COMMAND --help says more.",
        ]
    )


def _is_ours(error: Exception) -> bool:
    """Whether Sightline's own code raised it, to be read by a person."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    package = (__package__ or "").partition(".")[0]
    kinds = (ValueError, RuntimeError, ArithmeticError)
    return isinstance(error, kinds) and raised_in.partition(".")[0] == package


def _mistake(message: str) -> int:
    print(f"sightline: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

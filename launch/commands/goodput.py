"""`sightline goodput`: show where the wall time of a run went, restarts included."""

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console

from ...objectives.errors import UsageError
from ..runs.goodput import file_of, hosts, summary
from ..terminal.goodput import goodput_table
from ._arguments import parse

_ABOUT = """\
Show where the wall time of a run went since its first start: starting, restoring,
compiling, computing, waiting for data, saving, evaluating, steps that a kill lost, and
time between restarts. The parts add up to the wall time. The run may be active.

  sightline goodput runs/mine
"""


def main(arguments: Sequence[str]) -> int:
    """Prints the table, or JSON; the run may be active."""
    parser = argparse.ArgumentParser(
        "sightline goodput",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", metavar="RUN", help="its --run_dir")
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="(table)"
    )
    options = parse(parser, arguments)
    if not hosts(options.run_dir):
        raise UsageError(
            f"{options.run_dir!r} has no {file_of(0)}; give the --run_dir of a "
            "`sightline train` that has begun its first step."
        )
    found = {
        host: summary(options.run_dir, host=host) for host in hosts(options.run_dir)
    }
    if options.format == "json":
        lines = [
            {"host": host, **each._asdict(), "goodput": each.goodput}
            for host, each in found.items()
        ]
        json.dump(lines, sys.stdout, indent=1)
        print()
        return 0
    for host, each in found.items():
        if len(found) > 1:
            Console().print(f"host {host}")
        Console().print(goodput_table(each))
    return 0

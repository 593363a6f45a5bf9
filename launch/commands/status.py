"""`sightline status`: show where a run stands, also while it runs."""

import argparse
from collections.abc import Sequence

from rich.console import Console

from ..pods.watch.table import status_tables
from ._arguments import parse
from ._watch import add_peak, measured_utilisation, watched_run

_ABOUT = """\
Show where a run stands: whether it is running, losses by objective, tokens per second,
where its time went, checkpoints, and what went wrong. Reads the run's directory only,
and writes nothing.

  sightline status runs/mine
  sightline status /shared/runs/mine --topology=v5p-128   # with MFU
"""


def main(arguments: Sequence[str]) -> int:
    """Prints the tables; the run may be active."""
    parser = argparse.ArgumentParser(
        "sightline status",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", metavar="RUN", help="its --run_dir")
    add_peak(parser)
    options = parse(parser, arguments)
    run = watched_run(options.run_dir)
    used = measured_utilisation(run, options)
    Console(highlight=False).print(status_tables(run, used))
    return 0

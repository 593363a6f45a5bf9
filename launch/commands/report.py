"""`sightline report`: write where a run stands as one HTML page, also while it runs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ...tasks.files import write_whole
from ..pods.watch.page import page
from ._arguments import parse, require_file
from ._watch import add_peak, measured_utilisation, watched_run

_ABOUT = """\
Write where a run stands as one self-contained HTML page: charts of the loss of each
objective, tokens per second and where the time went, checkpoints, hosts, and what went
wrong. Nothing is written into the run's directory.

  sightline report runs/mine --out=mine.html
  sightline report /shared/runs/mine --topology=v5p-128   # with MFU; report.html
"""


def main(arguments: Sequence[str]) -> int:
    """Writes the page; the run may be active."""
    parser = argparse.ArgumentParser(
        "sightline report",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", metavar="RUN", help="its --run_dir")
    parser.add_argument(
        "--out", default="report.html", metavar="FILE", help="(%(default)s)"
    )
    add_peak(parser)
    options = parse(parser, arguments)
    require_file("--out", Path(options.out))
    run = watched_run(options.run_dir)
    text = page(run, measured_utilisation(run, options))
    # A folder's name need not be Unicode, as a page must be.
    write_whole(Path(options.out), text.encode("utf-8", "replace"))
    print(f"{options.out}: {run.state}, step {run.step:,} of {run.total:,}")
    return 0

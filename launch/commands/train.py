"""`sightline train`: train one model on a mixture of objectives, or resume a run."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..configuration import files
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Train one model on a mixture of objectives, or resume a run that was stopped. Exit
status 0: all steps are done; 75: stopped by SIGTERM, run the same command to resume.

  sightline train --gin_file=quickstart.gin --run_dir=runs/quickstart
  sightline train --gin_file=my.gin --gin.train.steps=100 --run_dir=runs/mine
"""


def main(arguments: Sequence[str]) -> int:
    """Trains; returns 0 once all steps are done, 75 (`EX_TEMPFAIL`) where it stopped.

    Everything that the configuration can have wrong is found before anything is
    compiled.
    """
    parser = gin_parser("train", _ABOUT)
    parser.add_argument("--run_dir", required=True, metavar="FOLDER")
    options, bindings = parse_gin(parser, arguments)

    from ..configuration.config import load

    config = load(options.gin_file, bindings)
    # A shipped file also binds what other architectures would use.
    ours = {Path(name).name for name in files.shipped()}
    for binding in config.unused("train"):
        if binding.partition(":")[0] in ours:
            continue
        print(f"note: {binding} is bound, but nothing uses it.", file=sys.stderr)
    settings = config.arguments(
        "train", run_dir=options.run_dir, config=config.resolved_config("train")
    )

    from ..training.train import train

    return 0 if train(**settings) == settings["steps"] else os.EX_TEMPFAIL

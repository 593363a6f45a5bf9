"""`sightline train`: from gin files and bindings to a run."""

import argparse
import sys
from collections.abc import Sequence

from .cli import parse

_ABOUT = """\
Train one model on a mixture of objectives, or go on with a run that was stopped.

  sightline train --gin_file=quickstart.gin --run_dir=runs/quickstart
  sightline train --gin_file=my.gin --gin.train.steps=100 --run_dir=runs/mine
"""


def main(arguments: Sequence[str]) -> int:
    """Trains; returns the exit status.

    Everything that the configuration can have wrong is found before anything is
    compiled and before TensorFlow is imported.
    """
    parser = argparse.ArgumentParser(
        "sightline train",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--gin_file",
        action="append",
        required=True,
        metavar="FILE",
        help="a path, or the name of a shipped file; later files win",
    )
    parser.add_argument("--run_dir", required=True, metavar="FOLDER")
    parser.add_argument(
        "--gin.NAME",
        dest="_",
        metavar="VALUE",
        help="binds a parameter, --gin.adamw.b1=0.8; wins over the files",
    )
    bindings = [w.removeprefix("--gin.") for w in arguments if w.startswith("--gin.")]
    words = [w for w in arguments if not w.startswith("--gin.")]
    options = parse(parser, words)

    from .config import load

    config = load(options.gin_file, bindings)
    for binding in config.unused("train"):
        print(f"note: {binding} is bound, but nothing uses it.", file=sys.stderr)
    settings = config.arguments(
        "train", run_dir=options.run_dir, config=config.resolved_config("train")
    )

    from .train import train

    train(**settings)
    return 0

"""`python -m sightline`: the command `sightline`."""

import sys

from .launch.cli import main

sys.exit(main())

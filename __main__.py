"""`python -m sightline`: the command `sightline`."""

from .launch.cli import script

script()

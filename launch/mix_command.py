"""`sightline mix`: see what a mixture does, before a step is trained on it."""

import importlib
from collections.abc import Sequence

from ..objectives.errors import nearest

SUBCOMMANDS = {
    "show": ("rates, and the shares they come to, measured", ".mix_show"),
    "preview": (
        "decoded Examples: what a slot sees, asks and predicts",
        ".mix_preview",
    ),
    "diff": ("what changes from one mixture to another", ".mix_diff"),
}
"""Help and module by name; the module's `main(arguments)` returns the exit status."""


def main(arguments: Sequence[str]) -> int:
    """Runs a subcommand; without one, says which there are."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: sightline mix COMMAND [options]\n")
        for name, (text, _) in SUBCOMMANDS.items():
            print(f"  {name:<8} {text}")
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in SUBCOMMANDS:
        raise ValueError(f"no command 'mix {name}'; {nearest(name, SUBCOMMANDS)}")
    return importlib.import_module(SUBCOMMANDS[name][1], __package__).main(rest)

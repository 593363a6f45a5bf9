"""What `sightline generate` is told: the mode, the settings, the questions."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from ...models.decoding.filling import Order
from ...objectives.errors import UsageError, nearest
from ..inference.mode import Mode
from ..inference.modes import MODES
from ..inference.settings import Settings
from ..inference.trained_forms import FORMS

_SETTINGS = (
    "temperature",
    "top_k",
    "top_p",
    "seed",
    "stop",
    "max_tokens",
    "order",
    "per_pass",
    "threshold",
    "drafts",
    "form",
)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds the options of an answer."""
    modes = "; ".join(f"{mode.name}: {mode.about}" for mode in MODES.values())
    parser.add_argument("--mode", default="continue", help=f"{modes} (continue)")
    parser.add_argument(
        "--form", help=f"ask as this form of training ({'|'.join(FORMS)})"
    )
    parser.add_argument(
        "--untrained",
        action="store_true",
        help="ask in a form that the mixture never trained",
    )
    parser.add_argument(
        "--greedy",
        action="store_true",
        help="take the most probable token each time (the default)",
    )
    parser.add_argument("--temperature", type=float, metavar="T", help="draw at it")
    parser.add_argument(
        "--top_k", type=int, metavar="K", help="draw from the K most probable tokens"
    )
    parser.add_argument(
        "--top_p",
        type=float,
        metavar="P",
        help="draw from the nucleus of probability P",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="of the draws; a row's depend on it and the row's number alone (0)",
    )
    parser.add_argument(
        "--stop",
        action="append",
        metavar="TEXT",
        help="ends a continuation, and is no part of it; may be given again",
    )
    parser.add_argument(
        "--max_tokens", type=int, metavar="N", help="most tokens of an answer (128)"
    )
    orders = "|".join(get_args(Order))
    parser.add_argument(
        "--order", metavar=orders, help="in which masks are filled (certain)"
    )
    parser.add_argument(
        "--per_pass", type=int, metavar="N", help="masks that a pass fills at least (1)"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="a pass also fills every mask, in order, whose token is at least so "
        "probable (none)",
    )
    parser.add_argument(
        "--drafts",
        type=int,
        metavar="N",
        help="write causally N tokens at a time, drafted from masks and verified: the "
        "same text, in fewer passes (0)",
    )


def mode_of(options: argparse.Namespace) -> Mode:
    """The mode that is asked for.

    Raises:
      UsageError: there is none of that name.
    """
    if options.mode not in MODES:
        raise UsageError(f"no mode {options.mode!r}; {nearest(options.mode, MODES)}")
    return MODES[options.mode]


def given_of(options: argparse.Namespace) -> list[str]:
    """The names of the settings that were given."""
    return [name for name in _SETTINGS if getattr(options, name) is not None]


def settings_of(options: argparse.Namespace, mode: Mode) -> Settings:
    """The settings that were given.

    Raises:
      UsageError: one that the mode does not read, or that contradict each other.
    """
    given: dict[str, Any] = {name: getattr(options, name) for name in given_of(options)}
    unread = mode.unread(given)
    if options.greedy and "temperature" not in mode.reads:
        unread.append("greedy")
    if unread:
        raise UsageError(
            f"mode {mode.name!r} does not read --{unread[0]}; it reads "
            + (", ".join(f"--{name}" for name in sorted(mode.reads)) or "no setting")
            + "."
        )
    drawn = [name for name in ("temperature", "top_k", "top_p") if name in given]
    if options.greedy and drawn:
        raise UsageError(f"--greedy draws nothing, so take it or --{drawn[0]} out.")
    if "order" in given and given["order"] not in get_args(Order):
        raise UsageError(
            f"--order is {given['order']!r}; {nearest(given['order'], get_args(Order))}"
        )
    if "stop" in given:
        given["stop"] = tuple(given["stop"])
    return Settings(**given, untrained=options.untrained)


def rows_of(texts: Sequence[str], mode: Mode) -> list[dict[str, str]]:
    """The questions of texts from the command line, or of a line of a terminal.

    Raises:
      UsageError: texts that do not make whole questions.
    """
    size = len(mode.keys)
    if len(texts) % size:
        raise UsageError(
            f"mode {mode.name!r} takes {' and '.join(mode.keys)}, and {len(texts)} "
            f"texts came; give {size} for each question."
        )
    return [
        dict(zip(mode.keys, texts[first : first + size], strict=True))
        for first in range(0, len(texts), size)
    ]


def typed_rows(
    lines: Iterator[str], mode: Mode, *, refuse: Callable[[UsageError], object]
) -> Iterator[dict[str, str]]:
    """A question a line; its texts are separated by tabs where there are two.

    A line of another number of texts is told to `refuse`, and the next one is read.
    """
    for line in lines:
        texts = (
            line.rstrip("\n").split("\t") if len(mode.keys) > 1 else [line.rstrip("\n")]
        )
        if line.strip() and len(texts) != len(mode.keys):
            refuse(
                UsageError(
                    f"a line has {' and '.join(mode.keys)}, separated by one tab, and "
                    f"this one has {len(texts) - 1} tabs; type it again."
                )
            )
        elif line.strip():
            yield from rows_of(texts, mode)

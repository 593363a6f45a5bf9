"""What `sightline corpus english` says beside sizes: sources, licences, samples."""

import textwrap
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...tasks.corpora._english.build import RUN
from ...tasks.corpora._english.store import Holding

_SAMPLES = 3
_SAMPLE_CHARACTERS = 700


def sources(holdings: Sequence[Holding], shared: Mapping[str, float]) -> Table:
    """Each source by part: its size, its package, its licence.

    Args:
      holdings: the sources, part by part.
      shared: share of a part's held-out runs of words that occur in training.
    """
    table = Table(
        title="Sources of english",
        caption=_caption(shared),
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    # Names give way on a narrow screen, so that no figure does.
    for column in ("source", "split", "package", "licence"):
        table.add_column(column, overflow="fold")
    for column in ("documents", "words", "MB", "words a\ndocument"):
        table.add_column(column, justify="right", no_wrap=True)
    for part in dict.fromkeys(each.part for each in holdings):
        members = [each for each in holdings if each.part == part]
        table.add_section()
        for each in members:
            split = "train" if each.split == "train" else "held out"
            package = f"{each.package} {each.version}"
            low, middle, high = each.lengths
            lengths = f"{middle:,}\n{low:,}–{high:,}"
            name = Text(each.source)
            table.add_row(name, split, package, each.licence, *_size([each]), lengths)
        table.add_row(Text(part, style="bold"), "", "", "", *_size(members), "")
    table.add_section()
    table.add_row(Text("all", style="bold"), "", "", "", *_size(holdings), "")
    return table


def samples(texts: Mapping[str, Sequence[str]]) -> Group:
    """The beginnings of three documents, evenly spaced over the splits."""
    panels = []
    places = [
        (split, index) for split, each in texts.items() for index in range(len(each))
    ]
    for number in range(min(_SAMPLES, len(places))):
        split, index = places[(2 * number + 1) * len(places) // (2 * _SAMPLES)]
        text = textwrap.shorten(
            texts[split][index].replace("\n\n", " ¶ "),
            _SAMPLE_CHARACTERS,
            placeholder=" …",
        )
        panels.append(Panel(Text(text), title=f"{split}, document {index:,}"))
    return Group(*panels)


def _size(holdings: Sequence[Holding]) -> tuple[str, str, str]:
    return (
        f"{sum(each.documents for each in holdings):,}",
        f"{sum(each.words for each in holdings):,}",
        f"{sum(each.bytes for each in holdings) / 1e6:.1f}",
    )


def _caption(shared: Mapping[str, float]) -> str:
    shares = ", ".join(f"{part} {share:.2%}" for part, share in shared.items())
    return (
        "lengths: the median (10 % of documents are at most as long – 90 % are)\n"
        f"held-out runs of {RUN} words that also occur in training: {shares}"
    )

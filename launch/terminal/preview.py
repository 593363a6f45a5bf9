"""A previewed Example as coloured text for a terminal."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ...tasks.preview.reading import by_position, context, stands_before
from ...tasks.preview.scene import Interval, Scene, Slot, Token

# Blue and purple of middle lightness: more than 4 : 1 on black and on white.
SEEN = "color(31)"
SPECIAL = "color(133)"
UNSEEN = "dim"
CHOSEN = "reverse bold"
ASKED = "black on yellow bold"

_GAP = "░"
_LONG = 6
"""Longest run of unseen places that is drawn place by place."""


def legend() -> Text:
    """Explains the colours and signs."""
    text = Text()
    parts = [
        ("⟨seen⟩", SEEN),
        (" by the chosen slot, ", ""),
        ("not seen", UNSEEN),
        (", ", ""),
        ("predicts", "underline"),
        (" something, ", ""),
        ("<special>", SPECIAL),
        (" id, ", ""),
        *_chip("the chosen slot", CHOSEN),
        (", ", ""),
        *_chip("asked for", ASKED),
        (f", {_GAP} a place not seen", ""),
    ]
    for part, style in parts:
        text.append(part, style)
    return text


def example(scene: Scene, slot: Slot, *, note: str = "") -> RenderableType:
    """An Example, and what one of its slots sees, asks and predicts.

    Args:
      scene: the Example.
      slot: the chosen one, of the scene.
      note: shown right of the title.
    """
    title = Text.assemble((scene.task, "bold"), (f"  {note}" if note else "", "dim"))
    flows = [
        part
        for name, group in groupby(scene.slots, key=lambda s: (s.stream, s.part))
        for part in _part(scene, slot, name, list(group))
    ]
    return Group(
        Rule(title, align="left", style="dim"),
        Text(scene.about),
        Text(_summary(scene)),
        *flows,
        "",
        facts(scene, slot),
        "",
    )


def facts(scene: Scene, slot: Slot) -> Table:
    """What a slot holds, sees, asks from and predicts, one line each."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    where = f", stands at position {slot.position}"
    held = Text.assemble("holds ", _quoted(slot.token), where)
    grid.add_row(f"slot {slot.number}{_of(scene, slot.stream)}", held)
    grid.add_row("sees", _seen(scene, slot))
    grid.add_row("asks from", _asks(scene, slot))
    for prediction in slot.predictions:
        prediction_text = Text.assemble(
            _quoted(prediction.target),
            f" at position {prediction.position}, weight {prediction.weight:g}",
        )
        grid.add_row("predicts", prediction_text)
    if not slot.predictions:
        grid.add_row("predicts", "nothing")
    grid.add_row("reads", _reading(scene, slot))
    return grid


def _part(
    scene: Scene, chosen: Slot, name: tuple[str, str], slots: Sequence[Slot]
) -> Iterable[RenderableType]:
    """A heading and the tokens of one part of the row."""
    stream, part = name
    first, last = slots[0].number, slots[-1].number
    numbers = f"slots {first}–{last}" if first < last else f"slot {first}"
    where = f"{part}{_of(scene, stream)}, {numbers}"
    yield Text(f"\n{where}", "dim italic")
    flow = Text()
    seen = set(scene.seen(chosen))
    starts, stops = _edges(chosen, stream)
    for slot in slots:
        space, body = _split(slot.token, slot.predictions or slot is chosen)
        flow.append(space if flow else "")
        flow.append("⟨" if slot.number in starts else "", SEEN)
        if slot is chosen:
            _append_chip(flow, body, CHOSEN)
        else:
            place = scene.place(slot.stream, slot.number)
            style = _style(slot.token, SEEN if place in seen else UNSEEN)
            flow.append(body, f"{style} underline" if slot.predictions else style)
        flow.append("⟩" if slot.number + 1 in stops else "", SEEN)
    yield Padding(flow, (0, 0, 0, 2))


def _split(token: Token, marked: object) -> tuple[str, str]:
    """The space before a token, and the rest; spaces alone are visible if `marked`."""
    body = token.text.lstrip(" ")
    if body:
        return token.text[: -len(body)], body
    return "", token.text.replace(" ", "␣") if marked else token.text


def _style(token: Token, style: str) -> str:
    return SPECIAL if token.kind == "special" and style == SEEN else style


def _append_chip(flow: Text, body: str, style: str) -> None:
    for part in _chip(body, style):
        flow.append(*part)


def _chip(text: str, style: str) -> list[tuple[str, str]]:
    """Reversed text between half blocks, visible without colours too."""
    edge = {CHOSEN: "bold", ASKED: "yellow"}[style]
    return [("▐", edge), (text, style), ("▌", edge)]


def _edges(slot: Slot, stream: str) -> tuple[set[int], set[int]]:
    """Where the intervals of a stream that a slot sees begin and end."""
    intervals = [i for i in slot.sees if i.stream == stream and i.stop > i.start]
    return {i.start for i in intervals}, {i.stop for i in intervals}


def _reading(scene: Scene, slot: Slot) -> Text:
    """The text in the order of positions, as the slot reads it."""
    text = Text()
    for kind, group in groupby(by_position(scene, slot), key=lambda read: read.kind):
        reads = list(group)
        if kind == "unseen":
            text.append(_gaps(len(reads)), UNSEEN)
        for read in reads:
            if read.token is None:
                continue
            space, body = _split(read.token, kind == "asked")
            text.append(space if text else "")
            if kind == "asked":
                _append_chip(text, body, ASKED)
            else:
                text.append(body, _style(read.token, SEEN))
    return text


def _gaps(count: int) -> str:
    return _GAP * count if count <= _LONG else f"{_GAP * 3}({count}){_GAP * 3}"


def _summary(scene: Scene) -> str:
    """How many slots predict, which, and what they see."""
    numbers = [slot.number for slot in scene.predicting]
    count, size = len(numbers), len(scene.slots)
    of = _of(scene, scene.predicting[0].stream) if count else ""
    some = f" ({_ranges(numbers)}{of})" if 0 < count < size else ""
    verbs = ("predicts", "sees") if count == 1 else ("predict", "see")
    what = f"{count} of {size} slots {verbs[0]}{some}"
    return f"{what} and {verbs[1]} {context(scene)}." if count else f"{what}."


def _ranges(numbers: Sequence[int]) -> str:
    """`4, 9–11, 20` of ascending numbers."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def _asks(scene: Scene, slot: Slot) -> Text:
    """`position 17, after ‘ cat’`."""
    where = f"position {slot.query_position}, "
    before = stands_before(scene, slot)
    if before is None:
        return Text(where + "whose token it does not see")
    if before is slot:
        return Text(where + "where it stands")
    return Text.assemble(where, "after ", _quoted(before.token))


def _seen(scene: Scene, slot: Slot) -> str:
    """`slots [0, 40) of the encoder and [0, 3) of the decoder: 43 of 60`."""
    parts = [_interval(scene, interval) for interval in slot.sees]
    total = len(scene.slots)
    return f"slots {' and '.join(parts)}: {len(scene.seen(slot))} of {total}"


def _interval(scene: Scene, interval: Interval) -> str:
    stream, start, stop = interval
    if start == stop:
        return f"none{_of(scene, stream)}"
    return f"[{start}, {stop}){_of(scene, stream)}"


def _of(scene: Scene, stream: str) -> str:
    """` of the encoder`, where there is more than one stream."""
    return f" of the {stream}" if len(scene.streams) > 1 else ""


def _quoted(token: Token) -> Text:
    if token.kind == "special":
        return Text(token.text, "bold")
    return Text(f"‘{token.text.replace(' ', '␣')}’", "bold")

"""A packed Example slot by slot, for display."""

import inspect
import unicodedata
from typing import Literal, NamedTuple

import numpy as np

from ...models.rows import PREDICTION_FIELDS, Memory, RowShape, Stream
from ...objectives.example import Example
from ...objectives.registry import Objective, objectives
from ..rows.layout import layout
from ..rows.packing import collate
from ..tokens.vocabulary import Vocabulary

StreamName = Literal["encoder", "decoder"]
Part = Literal["inputs", "targets"]

_PART = "\N{REPLACEMENT CHARACTER}"  # a part of a character
_SIGNS = {"\n": "⏎", "\t": "⇥"}
_BADGES = {
    "<sentinel_": "<s",
    "<label_0": "<label 0: does not continue",
    "<label_1": "<label 1: continues",
}
_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"}


class Token(NamedTuple):
    """A token for display: its text, and whether its id is reserved."""

    text: str
    kind: Literal["text", "special"]


class Interval(NamedTuple):
    """The slots `[start, stop)` of a stream."""

    stream: StreamName
    start: int
    stop: int


class Prediction(NamedTuple):
    """A prediction at a slot.

    Attributes:
      target: the token.
      position: of the target.
      weight: in the loss.
      objective: whose loss it is part of.
    """

    target: Token
    position: int
    weight: float
    objective: str


class Slot(NamedTuple):
    """One slot of a stream.

    Attributes:
      stream: of the slot.
      number: in the stream.
      part: of the Example.
      token: that it holds.
      position: as a key.
      query_position: from which it asks.
      sees: the slots that it sees: an interval of its own stream, and before that, in
        the decoder of an encoder–decoder, one of the encoder. Either may be empty.
      predictions: at this slot; mostly one, or none.
      holds_bos: whether its token is BOS, which is none of a text.
    """

    stream: StreamName
    number: int
    part: Part
    token: Token
    position: int
    query_position: int
    sees: tuple[Interval, ...]
    predictions: tuple[Prediction, ...]
    holds_bos: bool = False


class Scene(NamedTuple):
    """One Example in a row of its own.

    Attributes:
      task: corpus and objective.
      about: what the objective does, in a sentence.
      streams: of the architecture, including any without slots of the Example.
      slots: of the encoder, if any, then of the decoder.
    """

    task: str
    about: str
    streams: tuple[StreamName, ...]
    slots: tuple[Slot, ...]

    def stream(self, name: StreamName) -> tuple[Slot, ...]:
        """The slots of one stream, by number."""
        return tuple(slot for slot in self.slots if slot.stream == name)

    def place(self, stream: StreamName, number: int) -> int:
        """The index of a slot in `slots`."""
        return number if stream == "encoder" else number + len(self.stream("encoder"))

    def seen(self, slot: Slot) -> tuple[int, ...]:
        """The indices in `slots` of the slots that a slot sees."""
        return tuple(
            self.place(stream, number)
            for stream, start, stop in slot.sees
            for number in range(start, stop)
        )

    @property
    def predicting(self) -> tuple[Slot, ...]:
        """The slots with predictions."""
        return tuple(slot for slot in self.slots if slot.predictions)


def scene(
    task: str,
    example: Example,
    *,
    objective: Objective,
    shape: RowShape,
    vocabulary: Vocabulary,
) -> Scene:
    """Lays an Example out, packs it into a row and reads the row back as text.

    Args:
      task: its name.
      example: of that task.
      objective: that made it.
      shape: of the row; it determines the architecture.
      vocabulary: of the tokens.

    Raises:
      ValueError: the Example does not fit the row.
    """
    placed = layout(shape, bos=vocabulary.special_ids.bos)(example)
    decoder, encoder, memory = collate([[placed]], shape)
    inputs = len(example.inputs)
    about = (inspect.getdoc(objective.function) or "").partition("\n")[0]
    if encoder is None or memory is None:
        slots = slots_of("decoder", decoder, inputs=inputs, vocab=vocabulary)
        return Scene(task, about, ("decoder",), slots)
    slots = slots_of("encoder", encoder, inputs=inputs, vocab=vocabulary)
    slots += slots_of("decoder", decoder, inputs=0, vocab=vocabulary, memory=memory)
    return Scene(task, about, ("encoder", "decoder"), slots)


def token(vocabulary: Vocabulary, id_: int) -> Token:
    """A token for display: everything but spaces is made visible."""
    text = vocabulary.spell(id_)
    if vocabulary.is_reserved(id_):
        for long, short in _BADGES.items():
            text = text.replace(long, short)
        return Token(text, "special")
    return Token("".join(map(_visible, text)) or _PART, "text")


def _visible(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    if character != " " and unicodedata.category(character) in _UNSEEN:
        return f"\\u{ord(character):04x}"
    return character


def slots_of(
    name: StreamName,
    stream: Stream,
    *,
    inputs: int,
    vocab: Vocabulary,
    memory: Memory | None = None,
) -> tuple[Slot, ...]:
    """The slots of a stream's only row, which holds one Example; inputs come first."""
    predictions = _predictions(stream, vocab)
    bos = vocab.special_ids.bos
    slots = []
    for number in np.flatnonzero(stream.segment_ids[0]).tolist():
        visible = stream.visible_from[0, number], stream.visible_to[0, number]
        sees = [Interval(name, int(visible[0]), int(visible[1]))]
        if memory is not None:
            remembered = memory.memory_from[0, number], memory.memory_to[0, number]
            sees.insert(0, Interval("encoder", int(remembered[0]), int(remembered[1])))
        slots.append(
            Slot(
                stream=name,
                number=number,
                part="inputs" if number < inputs else "targets",
                token=token(vocab, int(stream.tokens[0, number])),
                position=int(stream.positions[0, number]),
                query_position=int(stream.query_positions[0, number]),
                sees=tuple(sees),
                predictions=tuple(predictions.get(number, ())),
                holds_bos=int(stream.tokens[0, number]) == bos,
            )
        )
    return tuple(slots)


def _predictions(stream: Stream, vocab: Vocabulary) -> dict[int, list[Prediction]]:
    """The predictions in a stream's only row, by slot number."""
    names = {objective.id: objective.name for objective in objectives().values()}
    predictions: dict[int, list[Prediction]] = {}
    from_bos_on = np.cumsum(np.asarray(stream.tokens[0]) == vocab.special_ids.bos) > 0
    fields = (getattr(stream, field)[0].tolist() for field in PREDICTION_FIELDS)
    for slot, target, weight, objective in zip(*fields, strict=True):
        if weight > 0:
            # Behind a BOS each token is predicted from the slot before it; without one,
            # in place.
            after = int(from_bos_on[slot])
            position = int(stream.query_positions[0, slot]) + after
            prediction = Prediction(
                token(vocab, target), position, weight, names[objective]
            )
            predictions.setdefault(slot, []).append(prediction)
    return predictions

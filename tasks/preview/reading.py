"""What one slot reads of an Example, in the words and in the order of a person."""

from typing import Literal, NamedTuple

from .scene import Scene, Slot, Token


class Read(NamedTuple):
    """One place of a text in the order of positions, as one slot sees it.

    Attributes:
      kind: a token that is seen, a place whose token is not, or what is asked for.
      token: that is seen or asked for; None where it is not seen.
      place: of the token's slot in `Scene.slots`; None where it is not seen.
    """

    kind: Literal["seen", "unseen", "asked"]
    token: Token | None = None
    place: int | None = None


def telling_slot(scene: Scene) -> Slot:
    """The slot to show first: the middle one of those that predict."""
    predicting = scene.predicting or scene.slots
    return predicting[len(predicting) // 2]


def context(scene: Scene) -> str:
    """What the predicting slots see, in a phrase; "nothing" where none predicts."""
    block = sum(slot.part == "inputs" for slot in scene.slots)
    asked = [slot.query_position for slot in scene.slots if slot.part == "targets"]
    parts = [f"the {block} inputs both ways"] if block else []
    if any(slot.part == "targets" for slot in scene.predicting):
        if asked != sorted(asked):
            parts.append("the targets before them in a shuffled order")
        elif not block:
            parts.append("strictly the past")
        elif len(asked) > 1:
            parts.append("the targets before them")
    return " and ".join(parts) or "nothing"


def stands_before(scene: Scene, slot: Slot) -> Slot | None:
    """What stands at the position that a slot asks from, if the slot sees it."""
    seen = [scene.slots[place] for place in scene.seen(slot)]
    return next((s for s in seen[::-1] if s.position == slot.query_position), None)


def by_position(scene: Scene, slot: Slot) -> list[Read]:
    """The Example in the order of positions: what a slot sees, and where it asks.

    A target that is predicted in place stands behind the token that the slot holds;
    any other in its own place. Unseen places behind all that is seen are left out.
    """
    seen = set(scene.seen(slot))
    asked = {prediction.position: prediction for prediction in slot.predictions}
    # BOS holds no token of the text, so that it fills no place of it.
    parts = [other.part for other in scene.slots]
    opening = parts.index("targets") if "targets" in parts else None
    predicted = {p.position for other in scene.predicting for p in other.predictions}
    places: dict[int, list[int]] = {position: [] for position in predicted}
    for place, other in enumerate(scene.slots):
        places.setdefault(other.position, []).append(place)
    reads = []
    for position, at in sorted(places.items()):
        read = [place for place in at if place in seen]
        reads += [Read("seen", scene.slots[place].token, place) for place in read]
        hidden = len(at) > len(read) or position in predicted
        if position in asked:
            reads.append(Read("asked", asked[position].target))
        elif not read or (read == [opening] and hidden):
            reads.append(Read("unseen"))
    while reads and reads[-1].kind == "unseen":
        reads.pop()
    return reads

"""What one slot reads of an Example, worded and ordered for a person."""

from typing import Literal, NamedTuple

from .scene import Scene, Slot, Token


class Read(NamedTuple):
    """One place of a text in the order of positions, as a slot sees it.

    Attributes:
      kind: a token that is seen, a place whose token is not, or the token asked for.
      token: seen or asked for; None if unseen.
      place: of the token's slot in `Scene.slots`; None if not seen.
    """

    kind: Literal["seen", "unseen", "asked"]
    token: Token | None = None
    place: int | None = None


def telling_slot(scene: Scene) -> Slot:
    """The slot to show first: the middle predicting one."""
    predicting = scene.predicting or scene.slots
    return predicting[len(predicting) // 2]


def context(scene: Scene) -> str:
    """What the predicting slots see, in a phrase; "nothing" if none predicts."""
    if blocks := _context_in_blocks(scene):
        return blocks
    inputs = sum(slot.part == "inputs" for slot in scene.slots)
    queries = [slot.query_position for slot in scene.slots if slot.part == "targets"]
    parts = [f"the {inputs} inputs both ways"] if inputs else []
    if any(slot.part == "targets" for slot in scene.predicting):
        if queries != sorted(queries):
            parts.append("the targets before them in a shuffled order")
        elif not inputs:
            parts.append("strictly the past")
        elif len(queries) > 1:
            parts.append("the targets before them")
    return " and ".join(parts) or "nothing"


def _context_in_blocks(scene: Scene) -> str:
    """What slots see that see no further than their block; "" if they do."""
    inputs = {
        scene.place(slot.stream, slot.number)
        for slot in scene.slots
        if slot.part == "inputs"
    }
    predicting = scene.predicting
    if any(slot.part == "targets" and _sees_ahead(slot) for slot in predicting):
        return "its block" + (" and the clean text before it" if inputs else "")
    unseen = [inputs.difference(scene.seen(slot)) for slot in predicting]
    return "the inputs up to the end of its block" if any(unseen) else ""


def _sees_ahead(slot: Slot) -> bool:
    """Whether a slot sees later slots of its own stream."""
    return slot.sees[-1].stop > slot.number + 1


def stands_before(scene: Scene, slot: Slot) -> Slot | None:
    """The slot at the position that a slot asks from, if it sees it."""
    seen = [scene.slots[place] for place in scene.seen(slot)]
    return next((s for s in seen[::-1] if s.position == slot.query_position), None)


def by_position(scene: Scene, slot: Slot) -> list[Read]:
    """The Example in the order of positions: what a slot sees, and where it asks.

    A target predicted in place comes after the token that the slot holds; any other, in
    its own place. Unseen places after everything seen are left out.
    """
    seen = set(scene.seen(slot))
    predictions = {prediction.position: prediction for prediction in slot.predictions}
    bos = [place for place, other in enumerate(scene.slots) if other.holds_bos]
    predicted = {p.position for other in scene.predicting for p in other.predictions}
    places: dict[int, list[int]] = {position: [] for position in predicted}
    for place, other in enumerate(scene.slots):
        places.setdefault(other.position, []).append(place)
    reads = []
    for position, stacked in sorted(places.items()):
        seen_places = [place for place in stacked if place in seen]
        reads += [
            Read("seen", scene.slots[place].token, place) for place in seen_places
        ]
        hidden = len(stacked) > len(seen_places) or position in predicted
        if position in predictions:
            reads.append(Read("asked", predictions[position].target))
        elif not seen_places or (seen_places == bos and hidden):
            reads.append(Read("unseen"))
    while reads and reads[-1].kind == "unseen":
        reads.pop()
    return reads

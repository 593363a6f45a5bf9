"""Previewed Examples as one self-contained interactive page."""

import html
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...objectives.registry import base_name
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.preview.reading import context
from ...tasks.preview.scene import Scene, Slot, Token

_ARCHITECTURES = {"decoder": "a decoder", "encoder_decoder": "an encoder–decoder"}

_TEMPLATE = Path(__file__).with_name("preview.html")


class Page(NamedTuple):
    """What the page's head shows.

    Attributes:
      mixture: of the Examples.
      architecture: whose rows they fill.
      slots: of each stream of a row.
      seed: of the Examples.
    """

    mixture: Mixture
    architecture: str
    slots: int
    seed: int


def page(about: Page, scenes: Sequence[Scene], chosen: Sequence[Slot]) -> str:
    """The text of an HTML page.

    Args:
      about: the head.
      scenes: the Examples, one card each.
      chosen: the slot that each card opens with.
    """
    data = {
        "heading": f"Mixture {about.mixture.name}",
        "lead": "What each slot sees, from where it asks, and what it predicts. Each "
        "card is one example of real text, packed as the model reads it: rows of "
        f"{about.slots} slots for {_ARCHITECTURES[about.architecture]}, seed "
        f"{about.seed}.",
        "rates": _rates(about.mixture),
        "scenes": [
            _scene(scene, slot) for scene, slot in zip(scenes, chosen, strict=True)
        ],
    }
    return _filled(data, title=f"Preview of {about.mixture.name}")


def answer_page(
    heading: str,
    lead: str,
    scenes: Sequence[Scene],
    log_probabilities: Sequence[Sequence[float]],
) -> str:
    """The text of an HTML page of what a model answered.

    Args:
      heading: of the page.
      lead: the paragraph below it.
      scenes: the answered Examples, one card each.
      log_probabilities: of the predictions of each, in nats.
    """
    cards = []
    for scene, log_p in zip(scenes, log_probabilities, strict=True):
        card = _scene(
            scene, scene.predicting[-1] if scene.predicting else scene.slots[0]
        )
        places = [
            scene.place(slot.stream, slot.number)
            for slot in scene.predicting
            for _ in slot.predictions
        ]
        targets = [p.target for slot in scene.predicting for p in slot.predictions]
        card["answer"] = [
            [*_token(target), place, round(math.exp(value), 6)]
            for target, place, value in zip(targets, places, log_p, strict=True)
        ]
        cards.append(card)
    return _filled(
        {"heading": heading, "lead": lead, "rates": [], "scenes": cards}, title=heading
    )


def _filled(data: Mapping[str, Any], *, title: str) -> str:
    """The template with its data."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    template = _TEMPLATE.read_text(encoding="utf-8")
    head, body = template.split("{{data}}")
    head = head.replace("{{title}}", html.escape(title))
    # Inside a script, only this character can begin something else.
    return head + text.replace("<", "\\u003c") + body


def _rates(mixture: Mixture) -> list[list[Any]]:
    """Task, share of the examples, share of its objective in the loss."""
    losses = mixture.loss_share_array()
    rows = []
    for task, share in mixture.task_shares().items():
        objective = split_task(task)[1]
        loss = float(losses[mixture.objective(objective).id])
        rows.append([task, share, base_name(objective), round(loss, 6)])
    return rows


def _scene(scene: Scene, chosen: Slot) -> dict[str, Any]:
    """A scene as JSON; `chosen` becomes a place in its slots."""
    return {
        "task": scene.task,
        "about": scene.about,
        "context": context(scene),
        "streams": scene.streams,
        "chosen": scene.place(chosen.stream, chosen.number),
        "slots": [_slot(slot, scene.streams) for slot in scene.slots],
    }


def _slot(slot: Slot, streams: Sequence[str]) -> list[Any]:
    """Token, stream, index, part, positions, intervals, predictions."""
    return [
        *_token(slot.token),
        streams.index(slot.stream),
        slot.number,
        int(slot.part == "targets"),
        slot.position,
        slot.query_position,
        [[streams.index(i.stream), i.start, i.stop] for i in slot.sees],
        [[*_token(p.target), p.position, round(p.weight, 4)] for p in slot.predictions],
    ]


def _token(token: Token) -> list[Any]:
    return [token.text, int(token.kind == "special")]

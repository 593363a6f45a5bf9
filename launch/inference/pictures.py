"""Answers as scenes: what each slot could see, and how likely what it predicted was."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...objectives.registry import get
from ...tasks.preview.scene import Scene, scene
from .asked import AskedModel
from .mode import Answer
from .trained_forms import TRAINED_BY


class AnswerScene(NamedTuple):
    """An answered Example for display.

    Attributes:
      scene: its slots.
      log_probabilities: of each prediction, in the order of `Scene.predicting`.
    """

    scene: Scene
    log_probabilities: list[float]


def answer_scenes(
    asked: AskedModel, answers: Sequence[Answer], *, mode: str
) -> list[AnswerScene]:
    """Lays answers out as the model read them; those of many Examples are left out."""
    shown = [answer for answer in answers if answer.example is not None]
    examples = [answer.example for answer in shown if answer.example is not None]
    scenes = []
    for answer, example, scored in zip(
        shown, examples, asked.score(examples), strict=True
    ):
        objective = get(TRAINED_BY[answer.form])
        drawn = scene(
            f"{mode}, as {objective.name}",
            example._replace(objective=objective.id),
            objective=objective,
            shape=asked.rows,
            vocabulary=asked.vocab,
        )
        kept = answer.log_probabilities
        log_p = scored if kept is None else kept
        scenes.append(AnswerScene(drawn, np.asarray(log_p, float).tolist()))
    return scenes

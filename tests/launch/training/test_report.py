"""What a run prints of its held-out losses."""

import numpy as np
import pytest
from rich.console import Console

from sightline.launch.training.evaluate import Evaluation
from sightline.launch.training.report import evaluation_table
from sightline.tasks.examples.mixture import Mixture


@pytest.mark.parametrize("objective", ["span_corruption", "a_long_one/span_corruption"])
def test_a_narrow_screen_takes_no_figure_away(objective):
    """The longest task of the quickstart, and a longer one, which is folded."""
    task = f"python_docs.{objective}"
    bound = {objective: {"mean_span": 8.0}} if "/" in objective else {}
    mixture = Mixture("one", {task: 1.0}, vocabulary="python_docs", settings=bound)
    size = mixture.objective(objective).id + 1
    measured = Evaluation(*(np.full(size, x) for x in (4.1621, 0.258, 4.9733, 327_290)))
    console = Console(width=80)
    with console.capture() as captured:
        console.print(evaluation_table({task: measured}, mixture, step=1300))
    text = captured.get()
    for figure in ("4.1621", "4.9733", "+0.8112", "25.8%", "327290", "accuracy"):
        assert figure in text, text
    assert "…" not in text

"""From which strength of corruption on a model restores better than doing nothing."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from ...scores.score import Score
from ...wording import listed
from .restoration import GAIN, UNDAMAGED
from .restored import NOTHING


class Strength(NamedTuple):
    """What a model makes of excerpts that are corrupted so much.

    Attributes:
      rate: of corruption.
      distance: mean edit distance of its outputs to the originals.
      nothing: that of the corrupted excerpts themselves.
      low: lower end of the interval of the gain, which is paired by excerpt.
      high: upper end.
    """

    rate: float
    distance: float
    nothing: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """By how much the model is closer to the original."""
        return self.nothing - self.distance


def by_strength(scores: Iterable[Score]) -> dict[str, list[Strength]]:
    """The strengths of each kind of corruption, "all" among them, weakest first.

    Args:
      scores: of one model, as `restoration_scores` gives them, or any others as well.
    """
    found: dict[tuple[str, float], dict[str, Score]] = defaultdict(dict)
    for score in scores:
        kind, _, rate = score.kind.rpartition(", ")
        # Without items there is no distance, not even that of doing nothing.
        if score.probe == "restoration" and rate.endswith(" %") and score.items:
            found[kind, float(rate.removesuffix(" %")) / 100][score.metric] = score
    strengths: dict[str, list[Strength]] = defaultdict(list)
    for (kind, rate), metrics in sorted(found.items()):
        distance, gain = metrics["edit distance"], metrics[GAIN]
        strengths[kind].append(
            Strength(
                rate,
                distance.value,
                distance.baselines[NOTHING],
                gain.low,
                gain.high,
            )
        )
    return dict(strengths)


def beats_from(strengths: Iterable[Strength]) -> float | None:
    """The weakest corruption from which on the gain's interval is above 0; or None.

    Every stronger one that was measured must be beaten too.
    """
    weakest: float | None = None
    for strength in sorted(strengths, reverse=True):
        if not strength.low > 0:
            break
        weakest = strength.rate
    return weakest


def strengths_text(scores: Iterable[Score]) -> str:
    """A sentence on each kind, for the memo; "" where nothing was restored.

    Says too what the model loses where there is nothing to restore.
    """
    scores = list(scores)
    by_kind = by_strength(scores)
    if not by_kind:
        return ""
    most = max(each.rate for strengths in by_kind.values() for each in strengths)
    weakest = {kind: beats_from(strengths) for kind, strengths in by_kind.items()}
    beaten = [f"{kind} from {100 * at:g} %" for kind, at in weakest.items() if at]
    others = [kind for kind, at in weakest.items() if not at]
    if beaten:
        text = "Restores better than handing the excerpt back, by kind of corruption: "
        text += f"{'; '.join(beaten)} on (intervals paired by excerpt)"
        text += f"; not {listed(others, last='or')}." if others else "."
    else:
        text = "Restores no kind of corruption better than handing the excerpt back, "
        text += f"at up to {100 * most:g} %."
    copied = [s for s in scores if s.kind == UNDAMAGED and s.metric == "edit distance"]
    if copied:
        text += f" Copying an undamaged excerpt loses {copied[0].value:.2f}."
    return text

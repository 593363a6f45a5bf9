"""The memo as blocks: what its template `main.txt` says, with its figures."""

import functools
import itertools
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from ...objectives.registry import base_name
from ..failures import registry
from ..results.effects import Effect, better_by, compared
from ..results.nearest import ranked
from ..revision.propose import Change
from ..scores.score import Score
from ..traits.traits import MixtureTraits
from ..wording import listed
from .adapt_text import UNBOUND, kept_share
from .appendix import appendix
from .blocks import Document, code
from .formatting import measured, metric, step, to_beat
from .inputs import Memo
from .isolated import Isolated, isolated, isolated_in
from .limit_rows import limit_rows, whole_steps
from .nearness import source
from .pictures import score_dots
from .prose import blocks
from .published import published_blocks


def content(memo: Memo) -> Document:
    """The whole memo in reading order: half a screen that can be read alone, first."""
    main = [*blocks("main.txt", _values(memo)), *published_blocks(memo.published)]
    return Document(main, list(appendix(memo)))


def _values(memo: Memo) -> dict[str, Any]:
    """What the template names."""
    proposal, origin = memo.proposal, memo.provenance
    mix = memo.effects.mixes.get(proposal.precedent or "")
    ratios = mix.own_loss if mix and mix.own_loss else ()
    alone = {
        base_name(c.name): [pair for f in c.failures for pair in _alone(memo, c, f)]
        for c in memo.acting
    }
    acted = {failure for change in memo.acting for failure in change.failures}
    lower = [change.loss for change in proposal.changes if change.action == "lower"]
    examined = [f"--corpus={origin.corpus}"] if origin.corpus else []
    examined += [f"--gin.{setting}" for setting in origin.settings]
    examined += [f"--failures={','.join(memo.failures)}", *origin.asked]
    return {
        **{"memo": memo, "proposal": proposal, "effects": memo.effects},
        **{"origin": origin, "unbound": UNBOUND},
        **{"get": registry.get, "base_name": base_name},
        **{"to_beat": to_beat, "quote": shlex.quote},
        "alone": alone,
        "as_proposed": functools.partial(_as_proposed, memo),
        "chart": functools.partial(_chart, memo),
        "confounded": [name for name, pairs in alone.items() if not pairs],
        "evidence": lambda failure: list(_evidence(memo, failure)),
        "examined": shlex.join(examined),
        "fallback": functools.partial(_fallback, memo),
        "file": memo.path,
        "imports": memo.imports,
        "instead": _instead,
        "isolated": lambda change, failure: [
            list(pairs)
            for _, pairs in itertools.groupby(
                _alone(memo, change, failure),
                key=lambda pair: (pair.without, pair.having),
            )
        ],
        "kept": kept_share(memo.mixture, memo.adaptation) if memo.adaptation else "",
        "limit_rows": list(limit_rows(memo)),
        "missing": [
            failure.title
            for name, failure in registry.failures().items()
            if name not in memo.failures and memo.lead(name) is None
        ],
        "moves": [
            _moved(memo, *pair)
            for failure in registry.names()
            if failure in acted and (pair := memo.pair(failure))
        ],
        "others": [sum(loss[when] for loss in lower) for when in (0, 1)],
        "own_loss": [f"{100 * (ratio - 1):+.1f}" for ratio in ratios],
        "remark": lambda failure: registry.get(failure).remark(
            [score for score in memo.scores if score.failure == failure]
        ),
        "slots": functools.partial(_slots, memo),
        "study": _study(memo),
        "needed": lambda failure: (
            _needed(memo.traits, failure),
            _needed(proposal.traits, failure),
        ),
        "verdicts": _verdicts,
        "whole_steps": whole_steps(memo),
    }


def _alone(memo: Memo, change: Change, failure: str) -> list[Isolated]:
    """What comparisons with and without the objective of a change show of a failure."""
    name = base_name(change.name)
    choice = isolated_in(memo, name, failure)
    return isolated(choice.study, name, failure) if choice else []


def _moved(memo: Memo, before: Effect, after: Effect) -> str:
    """A score of the study's incumbent and of its mix, and whether that is better."""
    better = better_by(before, after, memo.effects.mixes[memo.study_mix or ""])
    return step(before, after) + ("" if better else " (no clear difference)")


def _verdicts(pairs: Sequence[Isolated]) -> str:
    """What comparisons came to, by probe; each verdict once."""
    by_probe: dict[str, dict[str, None]] = {}
    for pair in pairs:
        by_probe.setdefault(pair.probe, {})[pair.verdict] = None
    return "; ".join(
        f"{probe}: {listed(list(verdicts), last='or')}"
        for probe, verdicts in by_probe.items()
    )


def _fallback(memo: Memo, change: Change, failure: str) -> str:
    """Which study these are from, if a nearer one has none; "" otherwise."""
    choice = isolated_in(memo, base_name(change.name), failure)
    if choice is None or not choice.passed:
        return ""
    return f"From {source(choice.study, memo.about, choice.passed)}."


def _study(memo: Memo) -> str:
    """Which study the mixes are from, and how far it is from the run."""
    order = ranked(memo.studies, memo.about)
    passed = order[: order.index(memo.effects)] if memo.effects in order else ()
    return source(memo.effects, memo.about, passed)


def _as_proposed(memo: Memo, pair: Isolated, change: Change) -> bool:
    """Whether a comparison is of the settings that are proposed."""
    objectives = memo.proposal.mixture.objectives()
    return pair.settings == objectives[change.name].settings


def _instead(change: Change, failure: str) -> Iterator[str]:
    """Other remedies of a failure, where an objective is added."""
    if change.action != "add":
        return
    remedies = [r.objective for r in registry.get(failure).remedies]
    others = [code(name) for name in remedies if name != base_name(change.name)]
    if others:
        yield listed(others, last="or")


def _needed(traits: MixtureTraits, failure: str) -> float:
    """Share of the loss on what a failure needs; not all of it need act on it."""
    return registry.get(failure).need.amount(traits.overall["loss"])


def _slots(memo: Memo, change: Change) -> float:
    """Share of all slots that an objective takes."""
    after = memo.proposal.traits
    slots = {n: s * after.objectives[n].processed for n, s in after.examples.items()}
    return slots[change.name] / sum(slots.values())


def _evidence(memo: Memo, failure: str) -> Iterator[tuple[str, ...]]:
    """Rows of the checkpoint, the study's incumbent, the proposal's mix, the best."""
    main_score, pair, mix = memo.lead(failure), memo.pair(failure), memo.study_mix
    if main_score is not None:
        yield _row("this checkpoint", main_score)
    if pair is None or mix is None:
        return
    followed = memo.proposal.precedent is not None
    role = "followed here" if followed else "nearest to the proposal"
    yield _row(f"study's incumbent, {code(memo.effects.incumbent)}", pair[0])
    yield _row(f"its mix {role}, {code(mix)}", pair[1])
    others = {
        name: both[1]
        for name in memo.effects.mixes
        if name not in (memo.effects.incumbent, mix)
        and (both := compared(memo.effects, name, failure))
    }
    if others:
        best = max if pair[0].better == "higher" else min
        name = best(others, key=lambda name: others[name].value)
        yield _row(f"its best other mix, {code(name)}", others[name])


def _row(whose: str, score: Score | Effect) -> tuple[str, ...]:
    return whose, metric(score), *measured(score), to_beat(score)


def _chart(memo: Memo) -> str:
    return score_dots(dict(_dots(memo, failure) for failure in memo.failures))


def _dots(memo: Memo, failure: str) -> tuple[str, dict[str, Score | Effect | None]]:
    """A row group of the chart: scores of the checkpoint and of two mixes."""
    lead, pair = memo.lead(failure), memo.pair(failure) or ()
    names = [metric(score) for score in (lead, *pair) if score is not None]
    heading = ": ".join([registry.get(failure).heading, *names[-1:]])
    score = lead if lead is not None and 0 <= lead.value <= 1 else None
    label = "this checkpoint"
    if score is not None and names[0] != names[-1]:
        label += f": {names[0]}"
    mixes = f"study: {memo.effects.incumbent}", f"study: {memo.study_mix}"
    return heading, {label: score} | dict(zip(mixes, pair, strict=False))

"""Measures the kept checkpoints of a run that lack a record."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import PyTree

from ...diagnosis.probes.published.published import fresh, published_scores
from ...diagnosis.results import records
from ...diagnosis.results.records import Record, TaskLoss
from ...models.rows import Batch
from ...tasks.examples.mixture import Mixture
from ..training.evaluate import Evaluation, evaluate, evaluate_tasks, mean_by_rate
from .resources import StudyResources
from .runs import Run
from .store import Store, read_point


def measure(resources: StudyResources, store: Store, run: Run, tokens: int) -> Record:
    """Measures a run at one of its points, and writes the record."""
    saved = read_point(
        store.run(run), tokens, resources.program.abstract_params, prefix="params."
    )
    params = saved.state.params
    arm, study = run.arm, resources.study
    probes, left_out = resources.probes
    current = resources.subject(arm.name, params)
    record = Record(
        mix=arm.name,
        seed=run.seed,
        tokens=saved.tokens,
        point=tokens,
        plan=study.plan_digest(),
        losses=_own_losses(resources, params),
        learned=_learned(resources, run, params),
        scores=tuple(score for probe in probes for score in probe(current)),
        left_out=tuple(left_out),
        published=tuple(
            score
            for data in resources.published
            for score in published_scores(
                current, data, untrained=fresh(current, seed=run.seed)
            )
        ),
    )
    path = store.record(run, tokens)
    path.parent.mkdir(parents=True, exist_ok=True)
    records.write(path, [record])
    return record


def _own_losses(resources: StudyResources, params: PyTree) -> dict[str, float]:
    """Held-out loss of each of the incumbent's objectives, by name."""
    incumbent = resources.study.incumbent
    name = incumbent if incumbent in resources.arms else next(iter(resources.arms))
    return {
        objective: loss.held_out
        for objective, loss in _held_out(resources, name, params).items()
    }


def _learned(
    resources: StudyResources, run: Run, params: PyTree
) -> dict[str, TaskLoss]:
    """What an arm has learned of each of its objectives, on rows it has not read."""
    arm = run.arm.name
    losses = _held_out(resources, arm, params)
    training = _evaluate(resources, params, resources.of_training(arm))
    ids = _ids(run.arm.mixture)
    return {
        name: loss._replace(training=float(training.loss[ids[name]]))
        for name, loss in losses.items()
    }


def _held_out(
    resources: StudyResources, arm: str, params: PyTree
) -> dict[str, TaskLoss]:
    """Held-out loss of each objective of an arm, and that of its frequencies alone."""
    mixture = resources.arms[arm].mixture
    measured = evaluate_tasks(
        resources.program,
        resources.eval_step,
        params,
        resources.held_out(arm),
        before_each=lambda: None,
    )
    means = mean_by_rate(measured, mixture)
    return {
        name: TaskLoss(float(means["loss"][n]), np.nan, float(means["baseline"][n]))
        for name, n in _ids(mixture).items()
    }


def _evaluate(
    resources: StudyResources, params: PyTree, batches: Iterable[Batch]
) -> Evaluation:
    return evaluate(resources.program, resources.eval_step, params, list(batches))


def _ids(mixture: Mixture) -> dict[str, int]:
    """The id of each objective of a mixture, at any of its steps."""
    return {o.base: o.id for o in mixture.objectives().values()}

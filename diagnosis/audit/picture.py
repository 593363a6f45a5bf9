"""A picture of each objective: what its slots may see and what they depend on.

A short specimen, whose tokens are lettered by their place in the text, is packed with
those of the other objectives, and a model's dependence is measured on that batch.
"""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ...objectives.coded import coded_ids, coded_text, contexts, places
from ...objectives.example import predicts_next
from ...objectives.registry import Objective, objectives
from ...objectives.special_ids import MODES, SpecialIds
from ...tasks.rows.layout import layout
from ...tasks.rows.packing import collate, first_fit
from .audit import SHAPES
from .declared import all_places, held, may_see, places_of
from .dependence import Dependence, Measure
from .picture_svg import Picture, svg
from .specimens import Specimen, is_text, specimen_of

LETTERS = 12
"""Tokens of text in a picture."""

SEED = 27
"""With this seed `masked` hides tokens in each of its three ways."""

_DOCUMENT = 27
"""Tokens in the document: one letter for each place, and EOS."""

_TELLING = {
    "masked": {"rate": 0.34},
    "span_corruption": {"density": 0.34, "mean_span": 2.0},
    "permuted": {"k": 2},
    "block_diffusion": {"block": 4},
}
"""Settings that give more than one prediction on a text of a few letters."""


def telling_objectives() -> dict[str, Objective]:
    """Every objective, by name, with settings suited to a short text."""
    return {
        name: objective.with_settings(**_TELLING.get(name, {}))
        for name, objective in objectives().items()
    }


def write_pictures(
    folder: Path,
    measure: Measure,
    objectives: Mapping[str, Objective],
    ids: SpecialIds,
    *,
    architecture: str = "decoder",
    seed: int = SEED,
) -> list[Path]:
    """Writes `<name>.svg` for each objective; the `/` of a variant's name becomes `.`.

    Args:
      folder: to write into; created if missing.
      measure: made by `dependence.make_measure` of a model of that architecture.
      objectives: the objectives, such as `telling_objectives()`.
      ids: of the model's vocabulary.
      architecture: "decoder" or "encoder_decoder".
      seed: of the specimens and perturbations.

    Returns:
      The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    drawn = pictures(objectives, measure, ids, architecture=architecture, seed=seed)
    for picture in drawn:
        written.append(folder / f"{picture.name.replace('/', '.')}.svg")
        written[-1].write_text(svg(picture), encoding="utf-8")
    return written


def pictures(
    objectives: Mapping[str, Objective],
    measure: Measure,
    ids: SpecialIds,
    *,
    architecture: str = "decoder",
    seed: int = SEED,
) -> list[Picture]:
    """The pictures of objectives; arguments are those of `write_pictures`."""
    shape = SHAPES[architecture]
    place = layout(shape, bos=ids.bos)
    specimens = [telling_specimen(o, ids, seed=seed) for o in objectives.values()]
    rows = list(first_fit(specimens, shape, placed=lambda s: place(s.example)))
    slot_index = {p: n for n, p in enumerate(all_places(shape, rows=len(rows)))}
    others = np.random.default_rng(seed).choice(ids.text, len(slot_index))
    batch = collate([[place(s.example) for s in row] for row in rows], shape)
    measured = measure(batch, others)
    slots = {
        specimen.objective.name: np.array([slot_index[p] for p in specimen_places])
        for specimens, row_places in zip(rows, places_of(rows, shape), strict=True)
        for specimen, specimen_places in zip(specimens, row_places, strict=True)
    }
    return [
        _picture(s, _cut(measured, slots[s.objective.name]), seed=seed)
        for s in specimens
    ]


def telling_specimen(objective: Objective, ids: SpecialIds, *, seed: int) -> Specimen:
    """The specimen of the first letters of a longer document.

    Args:
      objective: with its settings.
      ids: of the vocabulary.
      seed: of everything random.
    """
    rng = np.random.default_rng([seed, objective.id])
    return specimen_of(objective, coded_text(_DOCUMENT, 0, LETTERS), ids, rng)


def _cut(dependence: Dependence, slots: Int[np.ndarray, " n"]) -> Dependence:
    """The dependence among some slots."""
    return Dependence(*(matrix[np.ix_(slots, slots)] for matrix in dependence))


def _picture(specimen: Specimen, dependence: Dependence, *, seed: int) -> Picture:
    coded, objective = specimen.coded, specimen.objective
    inputs = len(coded.inputs)
    holds = held(coded)
    predicted = np.concatenate([coded.inputs_targets, coded.targets])
    weights = np.concatenate([coded.inputs_weights, coded.targets_weights])
    letters = _letters(np.concatenate([holds, predicted]).tolist())
    return Picture(
        name=objective.name,
        about=_about(specimen),
        caption=_caption(objective, seed),
        holds=tuple(letters[code] for code in holds.tolist()),
        asks=tuple(
            letters[code] if weight else ""
            for code, weight in zip(predicted.tolist(), weights.tolist(), strict=True)
        ),
        inputs=inputs,
        may=may_see(specimen),
        measured=dependence,
    )


def _letters(codes: Sequence[int]) -> dict[int, str]:
    """The sign of each code: letters by place, capitals for another document."""
    ids = coded_ids()
    signs = {ids.eos: "$", ids.bos: "^", ids.mask: "▢", ids.sep: "SEP"}
    signs |= dict(zip(ids.labels, "✗✓", strict=True))
    signs |= dict(zip(ids.modes, MODES, strict=True))
    signs |= dict(zip(ids.fill, ("PRE", "SUF", "MID"), strict=True))
    signs |= {id_: f"⟨{k}⟩" for k, id_ in enumerate(ids.sentinels)}
    distinct = np.unique(np.asarray(codes))
    elsewhere = distinct[is_text(distinct) & (places(distinct) < 0)].tolist()
    for code, place in zip(distinct.tolist(), places(distinct).tolist(), strict=True):
        if place >= 0:
            signs[code] = chr(ord("a") + place)
        elif code in elsewhere:
            signs[code] = chr(ord("A") + elsewhere.index(code))
        else:  # a token drawn at random, from nowhere
            signs.setdefault(code, "?")
    return signs


def _about(specimen: Specimen) -> str:
    """What slots see and what is predicted, counted in the Example."""
    example = specimen.coded
    inputs, targets = len(example.inputs), len(example.targets)
    sees = [f"the {inputs} inputs both ways"] if inputs else []
    if len(example.targets_shown):
        sees = ["its own block", "the clean blocks before it"]
    elif len(example.inputs_sees):
        sees = [f"the {inputs} inputs up to the end of its block"]
    elif targets > 1:
        sees.append("the targets before it" if inputs else "strictly the past")
    predicts = []
    if in_place := int((example.inputs_weights > 0).sum()):
        ahead = predicts_next(example, bos=coded_ids().bos)
        where = "from the slot before each" if ahead else "in place"
        predicts.append(f"{in_place} tokens {where}")
    if one_by_one := int((example.targets_weights > 0).sum()):
        permuted = contexts(example).permuted
        order = "in a permuted order" if permuted else "one after another"
        order = "in place" if len(example.targets_shown) else order
        label = example.targets[0] in coded_ids().labels
        predicts.append("one label" if label else f"{one_by_one} tokens {order}")
    return f"sees {' and '.join(sees)}; predicts {' and '.join(predicts)}"


def _caption(objective: Objective, seed: int) -> str:
    defaults = inspect.signature(objective.function).parameters
    changed = [
        f"{name}={value!r}"
        for name, value in objective.settings.items()
        if value != defaults[name].default
    ]
    settings = ", ".join(changed) or "default settings"
    return f"{LETTERS} letters of a longer text, {settings}, seed {seed}"

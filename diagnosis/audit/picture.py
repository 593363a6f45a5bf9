"""One picture of each objective: what its slots may see beside what they depend on.

A short specimen, whose tokens are letters by their place in the text, is packed among
those of the other objectives, and a model's dependence is measured on that batch.
"""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ...objectives.coded import coded_ids, coded_text, contexts, places
from ...objectives.registry import Objective, objectives
from ...objectives.special_ids import MODES, SpecialIds
from ...tasks.rows.layout import layout
from ...tasks.rows.packing import collate, first_fit
from .audit import SHAPES
from .declared import all_places, may_see, places_of
from .dependence import Dependence, Measure
from .picture_svg import Picture, svg
from .specimens import Specimen, is_text, specimen_of

LETTERS = 12
"""Tokens of text in a picture."""

SEED = 27
"""Of the pictures: with it, `masked` hides tokens in each of its three ways."""

_DOCUMENT = 27
"""Tokens of the document: a letter for each place, and EOS."""

_TELLING = {
    "masked": {"rate": 0.34},
    "span_corruption": {"density": 0.34, "mean_span": 2.0},
    "permuted": {"k": 2},
}
"""Settings with which a text of a few letters shows more than one prediction."""


def telling_objectives() -> dict[str, Objective]:
    """Every objective, by name, with settings that show on a short text."""
    return {
        name: objective.with_settings(**_TELLING.get(name, {}))
        for name, objective in objectives().items()
    }


def write_pictures(
    folder: Path,
    measure: Measure,
    drawn: Mapping[str, Objective],
    ids: SpecialIds,
    *,
    architecture: str = "decoder",
    seed: int = SEED,
) -> list[Path]:
    """Writes `<name>.svg` for each objective; the `/` of a variant's name becomes `.`.

    Args:
      folder: where; made if it is not there.
      measure: of a model of that architecture (`dependence.make_measure`).
      drawn: the objectives, such as `telling_objectives()`.
      ids: of the model's vocabulary.
      architecture: "decoder" or "encoder_decoder".
      seed: of the specimens and perturbations.

    Returns:
      The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    found = pictures(drawn, measure, ids, architecture=architecture, seed=seed)
    for picture in found:
        written.append(folder / f"{picture.name.replace('/', '.')}.svg")
        written[-1].write_text(svg(picture), encoding="utf-8")
    return written


def pictures(
    drawn: Mapping[str, Objective],
    measure: Measure,
    ids: SpecialIds,
    *,
    architecture: str = "decoder",
    seed: int = SEED,
) -> list[Picture]:
    """The pictures of objectives; arguments are those of `write_pictures`."""
    shape = SHAPES[architecture]
    place = layout(shape, bos=ids.bos)
    made = [telling_specimen(o, ids, seed=seed) for o in drawn.values()]
    placed = [place(s.example) for s in made]
    packed = list(first_fit(placed, shape))
    # Each Placed is known by its place in the list: packing keeps the objects.
    at = {id(p): number for number, p in enumerate(placed)}
    rows = [[made[at[id(p)]] for p in row] for row in packed]

    every = {p: n for n, p in enumerate(all_places(shape, rows=len(rows)))}
    others = np.random.default_rng(seed).choice(ids.text, len(every))
    found = measure(collate(packed, shape), others)
    slots = {
        id(specimen): np.array([every[p] for p in here], np.int64)
        for specimens, places_here in zip(rows, places_of(rows, shape), strict=True)
        for specimen, here in zip(specimens, places_here, strict=True)
    }
    return [_picture(s, _cut(found, slots[id(s)]), seed=seed) for s in made]


def telling_specimen(objective: Objective, ids: SpecialIds, *, seed: int) -> Specimen:
    """The specimen of the first letters of a document that goes on.

    Args:
      objective: with its settings.
      ids: of the vocabulary.
      seed: of all that is random.
    """
    rng = np.random.default_rng([seed, objective.id])
    return specimen_of(objective, coded_text(_DOCUMENT, 0, LETTERS), ids, rng)


def _cut(found: Dependence, slots: Int[np.ndarray, " n"]) -> Dependence:
    """The dependence of some slots on each other."""
    return Dependence(*(matrix[np.ix_(slots, slots)] for matrix in found))


def _picture(specimen: Specimen, found: Dependence, *, seed: int) -> Picture:
    coded, objective = specimen.coded, specimen.objective
    inputs = len(coded.inputs)
    held = np.concatenate([coded.inputs, [coded_ids().bos], coded.targets[:-1]])
    asked = np.concatenate([coded.inputs_targets, coded.targets])
    weights = np.concatenate([coded.inputs_weights, coded.targets_weights])
    letters = _letters(np.concatenate([held, asked]).tolist())
    return Picture(
        name=objective.name,
        about=_about(specimen),
        caption=_caption(objective, seed),
        holds=tuple(letters[code] for code in held[: len(asked)].tolist()),
        asks=tuple(
            letters[code] if weight else ""
            for code, weight in zip(asked.tolist(), weights.tolist(), strict=True)
        ),
        inputs=inputs,
        may=may_see(specimen),
        measured=found,
    )


def _letters(codes: Sequence[int]) -> dict[int, str]:
    """What each code is drawn as: letters by place, capitals for another document."""
    ids = coded_ids()
    signs = {ids.eos: "$", ids.bos: "^", ids.mask: "▢", ids.sep: "SEP"}
    signs |= dict(zip(ids.labels, "✗✓", strict=True))
    signs |= dict(zip(ids.modes, MODES, strict=True))
    signs |= dict(zip(ids.fill, ("PRE", "SUF", "MID"), strict=True))
    signs |= {id_: f"⟨{k}⟩" for k, id_ in enumerate(ids.sentinels)}
    found = np.unique(np.asarray(codes))
    elsewhere = found[is_text(found) & (places(found) < 0)].tolist()
    for code, place in zip(found.tolist(), places(found).tolist(), strict=True):
        if place >= 0:
            signs[code] = chr(ord("a") + place)
        elif code in elsewhere:
            signs[code] = chr(ord("A") + elsewhere.index(code))
        else:  # a token drawn at random, from nowhere
            signs.setdefault(code, "?")
    return signs


def _about(specimen: Specimen) -> str:
    """What slots see and what is predicted, counted on the Example itself."""
    example = specimen.coded
    inputs, targets = len(example.inputs), len(example.targets)
    sees = [f"the {inputs} inputs both ways"] if inputs else []
    if targets > 1:
        sees.append("the targets before it" if inputs else "strictly the past")
    predicts = []
    if in_place := int((example.inputs_weights > 0).sum()):
        predicts.append(f"{in_place} tokens in place")
    if one_by_one := int((example.targets_weights > 0).sum()):
        permuted = contexts(example).permuted
        order = "in a permuted order" if permuted else "one after another"
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

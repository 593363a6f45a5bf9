"""In which forms a mixture asks its model, and by which objectives."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from ...diagnosis.traits.objective_traits import mode_tokens
from ...diagnosis.traits.traits import mixture_traits
from ...models.rows import RowShape
from ...objectives.errors import UsageError, nearest
from ...objectives.mode import ShownMode
from ...objectives.registry import Objective, base_name, get
from ...tasks.examples.mixture import Mixture

Form = Literal[
    "causal",
    "prefix",
    "span",
    "middle",
    "blocks",
    "masked",
    "shifted",
    "permuted",
    "reconstruction",
    "pair",
]

FORMS: tuple[Form, ...] = get_args(Form)

TRAINED_BY: Mapping[Form, str] = {
    "causal": "causal",
    "prefix": "prefix",
    "span": "span_corruption",
    "middle": "fill_in_middle",
    "blocks": "block_diffusion",
    "masked": "masked",
    "shifted": "masked",
    "permuted": "permuted",
    "reconstruction": "reconstruction",
    "pair": "sentence_pair",
}
"""The objective whose Examples have each form: it lays a question out."""

BOS_AFTER_INPUTS: tuple[Form, ...] = ("span", "reconstruction", "pair")
"""Forms in which BOS has a position of its own, in a row; else the last input's."""

_OF_ITS_OWN: Mapping[str, Form] = {"fill_in_middle": "middle"}
"""Objectives whose traits are those of another form."""


class TrainedForms(NamedTuple):
    """What a mixture trains.

    Attributes:
      objectives: the objectives and variants that train each form; a form that none
        trains is not a key.
      shown: the mode token before the inputs, by form.
      settings: of the objective that trains a form most.
    """

    objectives: Mapping[Form, tuple[str, ...]]
    shown: Mapping[Form, ShownMode]
    settings: Mapping[Form, Objective]

    def setting(self, form: Form, name: str) -> Any:
        """A setting of the objective that trains a form most, or its default."""
        return self.objective(form).settings[name]

    def objective(self, form: Form) -> Objective:
        """The objective that trains a form most, or one with default settings."""
        return self.settings.get(form) or get(TRAINED_BY[form])


def trained_forms(mixture: Mixture, rows: RowShape) -> TrainedForms:
    """The forms of a mixture's Examples, by what its objectives do (`traits`).

    Args:
      mixture: with a schedule, every phase of it counts.
      rows: that the Examples fit.
    """
    traits = mixture_traits(mixture, rows)
    bound = mixture.objectives()
    objectives: dict[Form, list[str]] = {}
    settings: dict[Form, tuple[float, Objective]] = {}
    for name, share in traits.examples.items():
        own = _OF_ITS_OWN.get(base_name(name))
        modes = traits.objectives[name].modes
        shares = {own: 1.0} if own else {str(m): part for m, part in modes.items()}
        for form in FORMS:
            part = share * shares.get(form, 0.0)
            if part <= 0:
                continue
            objectives.setdefault(form, []).append(name)
            if part > settings.get(form, (0.0,))[0]:
                settings[form] = part, bound[name]
    shown = mode_tokens(traits.overall["examples"])
    by_form: dict[str, ShownMode] = {str(mode): token for mode, token in shown.items()}
    return TrainedForms(
        {form: tuple(names) for form, names in objectives.items()},
        {form: by_form[form] for form in FORMS if form in by_form},
        {form: objective for form, (_, objective) in settings.items()},
    )


def choose_form(
    trained: TrainedForms,
    forms: Sequence[Form],
    *,
    mode: str,
    mixture: str,
    asked: str | None = None,
    untrained: bool = False,
) -> Form:
    """The form of a question: the first that was trained, or the one asked for.

    Args:
      trained: what the mixture trains.
      forms: those that the mode can take, the best first.
      mode: of asking, for messages.
      mixture: its name, for messages.
      asked: a form; None leaves the choice.
      untrained: whether a form that was never trained is taken, too.

    Raises:
      UsageError: the mode has no such form, or none of its forms was trained.
    """
    if asked is not None and asked not in forms:
        raise UsageError(
            f"mode {mode!r} has no form {asked!r}; {nearest(asked, forms)}"
        )
    choices: list[Form] = [f for f in forms if asked is None or f == asked]
    known: list[Form] = [form for form in choices if form in trained.objectives]
    if known:
        return known[0]
    if untrained:
        return choices[0]
    needed = " or ".join(TRAINED_BY[form] for form in choices)
    have = ", ".join(
        f"{form} (by {', '.join(names)})" for form, names in trained.objectives.items()
    )
    raise UsageError(
        f"mode {mode!r} asks the model as {needed} trains it, which mixture "
        f"{mixture!r} does not; it trains the forms {have}. Ask in a mode of those "
        "(`sightline generate --help` lists them), or insist with --untrained."
    )

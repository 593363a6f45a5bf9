"""The README of an exported model: which modes it was trained in, and how to ask."""

import inspect
from collections.abc import Sequence

from ...models.rows import RowShape
from ...objectives.registry import Objective, base_name, get
from ...tasks.examples.mixture import Mixture
from ...tasks.tokens.reserved import Reserved
from ..inference.trained_forms import BOS_AFTER_INPUTS, Form, trained_forms

_IN_DECODER = {
    "causal": """\
    input_ids = [BOS, x1, ..., xN]         # the logits at slot i predict x(i+1)
    model(input_ids)                       # transformers' own causal mask""",
    "masked": """\
    input_ids = [x1, ..., xN]              # no BOS; hidden tokens are MASK
    mask = torch.zeros(1, 1, N, N)         # every slot sees every slot
    model(input_ids, attention_mask=mask)  # the logits at slot i predict x(i)""",
    "shifted": """\
    input_ids = [BOS, x1, ..., xN]         # hidden tokens are MASK
    mask = torch.zeros(1, 1, N + 1, N + 1) # every slot sees every slot
    model(input_ids, attention_mask=mask)  # the logits at slot i predict x(i+1)""",
    "blocks": """\
    input_ids = [x1, ..., xN]              # no BOS; hidden tokens are MASK
    mask: 0 where a slot sees another, else -inf: up to the end of its own block
    model(input_ids, attention_mask=mask)  # the logits at slot i predict x(i)""",
}

_SEQUENTIAL_IN_DECODER = """\
    input_ids = inputs + [BOS] + targets   # N inputs that all see each other
    {positions}
    mask: 0 where a slot sees another, else -inf: inputs see all inputs; BOS and targets
    see all inputs, and themselves up to their own slot"""

_AFTER = "position_ids = 1 ... N, N + 1, ...     # BOS stands after the last input"
_ONWARD = (
    "position_ids = 1 ... N, N, N + 1, ...  # BOS stands where the last input does"
)

_IN_ENCODER_DECODER = {
    "masked": """\
    The encoder predicts in place, which transformers' heads do not do: take
    model.encoder(input_ids) times the output table.""",
    "sequential": """\
    model(input_ids=inputs, decoder_input_ids=[BOS] + targets)
    model.generate(inputs)                 # BOS is decoder_start_token_id""",
}

_NEVER = "    transformers cannot ask for these: "
_PERMUTED = f"{_NEVER}a slot asks from another position than its token's."
_EXACT = (
    f"{_NEVER}a slot of the decoder sees its own block and the encoder's before it."
)


def card(
    mixture: Mixture,
    rows: RowShape,
    reserved: Reserved,
    *,
    family: str,
    run: str,
    step: int,
    origin: str,
    remarks: Sequence[str],
) -> str:
    """The text.

    Args:
      mixture: that the model was trained on.
      rows: that it was trained on.
      reserved: its reserved ids.
      family: whose form it was written in.
      run: name of its run.
      step: of the checkpoint.
      origin: where its weights are from.
      remarks: on its tokeniser.
    """
    return "\n".join(
        [
            "---",
            "library_name: transformers",
            "---",
            f"# {run}",
            "",
            f"A {family} of transformers, from the checkpoint of step {step:,} of a "
            f"Sightline run: {origin}.",
            "",
            "## Modes",
            "",
            "One objective a line: its share of the examples, and of the loss.",
            "",
            *_modes(mixture),
            "",
            *_how(mixture, rows),
            "## Ids",
            "",
            *_ids(reserved),
            *(["", "## Tokeniser", "", *remarks] if remarks else []),
            "",
        ]
    )


def _modes(mixture: Mixture) -> list[str]:
    lines = ["| objective | examples | loss | what it does |", "|---|---|---|---|"]
    for step, phase in mixture.phases().items():
        if mixture.schedule:
            lines.append(f"| *from step {step:,} on* | | | |")
        lines += _phase(phase)
    return lines


def _phase(mixture: Mixture) -> list[str]:
    """A line for each objective of a mixture without a schedule."""
    shares = mixture.loss_shares or {}
    lines = []
    for name, rate in mixture.objective_rates().items():
        base = base_name(name)
        loss = f"{shares[base]:.1%}" if base in shares else "as examples"
        settings = mixture.settings_of(name).items()
        spelt = ", ".join(f"{key}={value!r}" for key, value in settings)
        shown = f"{name} ({spelt})" if spelt else name
        lines.append(f"| {shown} | {rate:.1%} | {loss} | {_about(base)} |")
    return lines


def _about(objective: str) -> str:
    """What an objective does, in the words of its own file."""
    return (inspect.getdoc(get(objective).function) or "").partition("\n")[0]


def _how(mixture: Mixture, rows: RowShape) -> list[str]:
    """How to ask in each form that was trained."""
    names: dict[str, dict[str, None]] = {}
    bound = mixture.objectives()
    for form, objectives in trained_forms(mixture, rows).objectives.items():
        way = _way(form, rows, [bound[name] for name in objectives])
        names.setdefault(way, {}).update(dict.fromkeys(objectives))
    lines: list[str] = []
    for way, objectives in names.items():
        lines += [f"### {', '.join(objectives)}", "", way, ""]
    return lines


def _way(form: Form, rows: RowShape, objectives: Sequence[Objective]) -> str:
    """How to ask in a form, of these objectives; several are asked alike."""
    decoder = rows.architecture == "decoder"
    if form == "permuted":
        return _PERMUTED
    apart = any(objective.apart for objective in objectives)
    if form == "blocks" and not decoder and apart:
        return _EXACT
    if decoder:
        if form in _IN_DECODER:
            return _IN_DECODER[form]
        positions = _AFTER if form in BOS_AFTER_INPUTS else _ONWARD
        return _SEQUENTIAL_IN_DECODER.format(positions=positions)
    in_place = form in ("masked", "shifted", "blocks")
    return _IN_ENCODER_DECODER["masked" if in_place else "sequential"]


def _ids(reserved: Reserved) -> list[str]:
    lines = [f"{key.upper()} is {id_}" for key, id_ in reserved.ids.items()]
    if reserved.sentinels:
        first, last = reserved.sentinels[0], reserved.sentinels[-1]
        lines.append(f"the sentinels are {first}, ..., {last}")
    return ["; ".join(lines) + "."]

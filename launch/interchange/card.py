"""The README of an exported model: which modes it was trained in, and how to ask."""

from collections.abc import Sequence

from ...models.rows import Architecture
from ...objectives.registry import base_name
from ...tasks.examples.mixture import Mixture
from ...tasks.tokens.reserved import Reserved

_IN_DECODER = {
    "causal": """\
    input_ids = [BOS, x1, ..., xN]         # the logits at slot i predict x(i+1)
    model(input_ids)                       # transformers' own causal mask""",
    "masked": """\
    input_ids = [x1, ..., xN]              # no BOS; hidden tokens are MASK
    mask = torch.zeros(1, 1, N, N)         # every slot sees every slot
    model(input_ids, attention_mask=mask)  # the logits at slot i predict x(i)""",
    "masked, shifted": """\
    input_ids = [BOS, x1, ..., xN]         # hidden tokens are MASK
    mask = torch.zeros(1, 1, N + 1, N + 1) # every slot sees every slot
    model(input_ids, attention_mask=mask)  # the logits at slot i predict x(i+1)""",
    "sequential": """\
    input_ids = inputs + [BOS] + targets   # N inputs that all see each other
    position_ids = 1 ... N, N, N + 1, ...  # BOS stands where the last input does
    mask: 0 where a slot sees another, else -inf: inputs see all inputs; BOS and targets
    see all inputs, and themselves up to their own slot""",
}

_IN_ENCODER_DECODER = {
    "masked": """\
    The encoder predicts in place, which transformers' heads do not do: take
    model.encoder(input_ids) times the output table.""",
    "sequential": """\
    model(input_ids=inputs, decoder_input_ids=[BOS] + targets)
    model.generate(inputs)                 # BOS is decoder_start_token_id""",
}

_ABOUT = {
    "causal": "the next token, from those before it",
    "masked": "hidden tokens, from both sides",
    "span_corruption": "dropped spans, each after its sentinel; inputs and targets end "
    "in EOS",
    "prefix": "how a text goes on, from a first part that sees itself both ways",
    "fill_in_middle": "a middle, from prefix and suffix behind their three ids",
    "permuted": "tokens in a permuted order; it needs positions of queries that "
    "transformers has not",
    "reconstruction": "the original text, from a corrupted one",
}


def card(
    mixture: Mixture,
    architecture: Architecture,
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
      architecture: of the model.
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
            *_how(mixture, architecture),
            "## Ids",
            "",
            *_ids(reserved),
            *(["", "## Tokeniser", "", *remarks] if remarks else []),
            "",
        ]
    )


def _modes(mixture: Mixture) -> list[str]:
    rates = mixture.objective_rates()
    shares = mixture.loss_shares or {}
    lines = ["| objective | examples | loss | predicts |", "|---|---|---|---|"]
    for name, rate in rates.items():
        base = base_name(name)
        loss = f"{shares[base]:.1%}" if base in shares else "as examples"
        settings = _settings(mixture, name)
        lines.append(
            f"| {name}{settings} | {rate:.1%} | {loss} | {_ABOUT.get(base, base)} |"
        )
    return lines


def _settings(mixture: Mixture, name: str) -> str:
    settings = mixture.settings.get(name, mixture.settings.get(base_name(name), {}))
    spelt = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    return f" ({spelt})" if spelt else ""


def _kind(mixture: Mixture, name: str) -> str:
    """Which way of asking an objective needs."""
    base = base_name(name)
    if base == "masked":
        shifted = mixture.objective(name).settings.get("shift", False)
        return "masked, shifted" if shifted else "masked"
    return base if base == "causal" else "sequential"


def _how(mixture: Mixture, architecture: Architecture) -> list[str]:
    """How to ask in each mode that was trained."""
    decoder = architecture == "decoder"
    ways = _IN_DECODER if decoder else _IN_ENCODER_DECODER
    names: dict[str, list[str]] = {}
    for name in mixture.objective_rates():
        kind = _kind(mixture, name)
        if not decoder:
            kind = "masked" if kind.startswith("masked") else "sequential"
        names.setdefault(kind, []).append(name)
    lines: list[str] = []
    for kind, objectives in names.items():
        lines += [f"### {', '.join(objectives)}", "", ways[kind], ""]
    return lines


def _ids(reserved: Reserved) -> list[str]:
    lines = [f"{key.upper()} is {id_}" for key, id_ in reserved.ids.items()]
    if reserved.sentinels:
        first, last = reserved.sentinels[0], reserved.sentinels[-1]
        lines.append(f"the sentinels are {first}, ..., {last}")
    return ["; ".join(lines) + "."]

"""The proposed changes: how information flows under each, what it predicts, and why."""

from collections.abc import Iterator, Mapping

from ...objectives.registry import base_name
from ..causes.cause import NEEDS, listed, percent
from ..revision.propose import Change
from ..revision.remedies import title
from ..revision.rule import supplied
from ..scores.complaints import LONG_NAMES
from ..scores.score import Failure
from ..traits.forms import AskedMode
from ..traits.objective_traits import Traits
from .blocks import Block, Figure, Heading, Items, Paragraph, Table, code
from .given import Memo
from .pictures import KINDS, LEGEND, bases, divided, share_bars
from .sightlines import sightlines

WHY: Mapping[Failure, str] = {
    "drift": (
        "A long text is written from the strict past, a token at a time, and has to "
        "agree with what it already says. Training on exactly that question makes the "
        "model look back for the fact, and nothing later is there to copy it from"
    ),
    "continuation": (
        "Whether a text goes on is a question about two texts, and words filled in "
        "inside one never ask it. A label does, and negatives of the same document "
        "cannot be told by topic, so that the order has to be judged"
    ),
    "reconstruction": (
        "To restore an excerpt is to write all of it, also what was not corrupted. "
        "Predicting a few missing tokens never asks for the others; a target that is "
        "the whole text makes the model copy what is there and pays for each word"
    ),
}
"""Why an objective acts on a failure: the hypothesis that the study tests."""


def changes(memo: Memo) -> Iterator[Block]:
    """The changes, their pictures, and each with links, cost and sources."""
    yield Heading(2, "Proposed changes")
    proposal = memo.proposal
    for failure, why in proposal.unchanged.items():
        yield Paragraph(f"{title(failure)}: no change. {why[0].upper()}{why[1:]}")
    if not proposal.changes:
        yield Paragraph("The mixture stays as it is.")
        return
    yield Table(
        "Shares before and after",
        ("objective", "change", "acts on", "of examples", "of the loss"),
        tuple(map(_row, proposal.changes)),
        ("left", "left", "left", "right", "right"),
    )
    if memo.traits.normalisation != "objective":
        yield Paragraph(
            "Until now the loss was a plain sum over tokens, so that its shares were "
            "those of the tokens. The shares above hold under the normalisation "
            "`objective`, which `recommended.gin` binds."
        )
    was, now = memo.rows.decoder, memo.proposal.rows.decoder
    if now != was:
        yield Paragraph(
            f"Rows of the decoder: {now.slots:,} slots and up to {now.predictions:,} "
            f"predictions, before {was.slots:,} and {was.predictions:,}. A step's cost "
            "grows with both: predictions are projected to the vocabulary."
        )
    yield from _supervision(memo)
    yield from _sights(memo)
    for change in proposal.changes:
        if change.failure is not None:
            yield from _one(memo, change, change.failure)
    yield from _room(memo)


def _row(change: Change) -> tuple[str, ...]:
    acts = LONG_NAMES[change.failure] if change.failure else "makes room"
    return (
        code(change.name),
        change.action,
        acts,
        _moved(change.rate),
        _moved(change.loss),
    )


def _moved(pair: tuple[float, float]) -> str:
    return f"{percent(pair[0])} → {percent(pair[1])}"


def _supervision(memo: Memo) -> Iterator[Block]:
    """What is supervised before and after, as bars and as a table."""
    bars = [
        (f"{what}, {when}", divided(traits, getattr(traits, by)))
        for what, by in (("tokens", "supervised"), ("loss", "loss"))
        for when, traits in (("before", memo.traits), ("after", memo.proposal.traits))
    ]
    yield Figure(
        share_bars(bars),
        "Supervised share before and after, by what it is predicted from: of the "
        "supervised tokens, and of the loss. Measured on each mixture's own Examples.",
    )
    yield Table(
        "The same in figures",
        ("supervision", *(label for label, _ in bars)),
        tuple(
            (LEGEND[kind], *(percent(shares[kind]) for _, shares in bars))
            for kind in KINDS
        ),
        ("left", "right", "right", "right", "right"),
    )


def _sights(memo: Memo) -> Iterator[Block]:
    """A small picture of each objective of either mixture."""
    names = dict.fromkeys([*bases(memo.traits), *bases(memo.proposal.traits)])
    drawn = sightlines(list(names), memo.mixture.vocabulary)
    before = set(bases(memo.traits))
    cards = [
        f"<div><p>{name}{'' if name in before else ' (new)'}</p>{drawn[name]}</div>"
        for name in names
    ]
    yield Figure(
        f'<div class="sights">{"".join(cards)}</div>',
        "Sightlines: a row is a slot, and the filled columns are the tokens that it "
        "may see, letters by their place in the text. Blue rows predict what stands at "
        "their right; grey rows predict nothing. A line parts inputs, above, from "
        "targets. Twelve letters, settings that show on so short a text.",
    )


_SEEN: Mapping[AskedMode, str] = {
    "prefix": " The text that is given first is seen both ways.",
    "span": " What is left of the text is seen both ways, earlier targets as past.",
    "reconstruction": " The corrupted text is seen both ways, earlier targets as past.",
    "permuted": " Tokens that are not asked are seen both ways.",
}


def flow(traits: Traits) -> str:
    """How information flows: from where the supervised tokens are predicted."""
    kinds = {
        "from the strict past": traits.past,
        "from both sides (bidirectional)": traits.both,
        "in a permuted order": traits.permuted,
    }
    most = max(kinds, key=lambda kind: kinds[kind])
    seen = _SEEN.get(max(traits.modes, key=lambda mode: traits.modes[mode]), "")
    if kinds[most] > 0.98:
        all_of = "All" if kinds[most] > 0.9995 else "Nearly all"
        return f"{all_of} its supervised tokens are predicted {most}.{seen}"
    told = [f"{percent(s)} {kind}" for kind, s in kinds.items() if s >= 0.005]
    return f"Its supervised tokens are predicted {listed(told)}.{seen}"


def predicted(traits: Traits) -> str:
    """What is predicted: a label, a whole sequence, every next token or a few."""
    asked, slots = traits.supervised, traits.processed
    size = f"{_tokens(asked)} in {slots:,.0f} slots an Example"
    if traits.labels > 0.5:
        kinds = {"other": "another document", "further": "further on in the same one"}
        kinds |= {"swapped": "swapped", "none": "none of these"}
        found = [f"{percent(s)} {kinds[k]}" for k, s in traits.kinds.items() if s]
        negative = f"{percent(traits.negatives)} say that it does not go on"
        return f"A coherence label, one an Example; {negative} ({listed(found)})."
    if traits.whole > 0.5:
        return f"The whole sequence, from a corrupted form of it: {size}."
    if traits.onward > 0.9 and asked > 0.8 * slots:
        return f"Every next token of the text: {size}."
    if traits.onward > 0.9:
        return f"The rest of the text, token after token: {size}."
    return f"A few tokens: {size}."


def _one(memo: Memo, change: Change, failure: Failure) -> Iterator[Block]:
    before = supplied(memo.traits, failure)
    after = supplied(memo.proposal.traits, failure)
    verb = {"add": "Add", "raise": "Raise"}.get(change.action, "Keep")
    yield Heading(3, f"{verb} {code(change.name)} for {LONG_NAMES[failure]}")
    yield Items(
        (
            f"Information: {flow(change.traits)}",
            f"Prediction: {predicted(change.traits)}",
            f"Why: {WHY[failure]}. Loss on {NEEDS[failure].name}: "
            f"{percent(before)} before, {percent(after)} after.",
            f"Cost: {_cost(memo, change)}",
            *(f"Numbers: {source}." for source in change.sources),
        )
    )


def _cost(memo: Memo, change: Change) -> str:
    traits = memo.proposal.traits
    slots = {n: s * traits.objectives[n].processed for n, s in traits.examples.items()}
    share = slots[change.name] / sum(slots.values())
    gained = change.loss[1] - change.loss[0]
    return (
        f"{_tokens(change.traits.supervised)} and "
        f"{change.traits.processed:,.0f} slots an Example; {percent(share)} of all "
        f"slots; {100 * gained:+.1f} points of the loss, which the objectives that "
        "make room give up."
    )


def _tokens(count: float) -> str:
    number = f"{count:,.0f}"
    return f"{number} supervised token{'' if number == '1' else 's'}"


def _room(memo: Memo) -> Iterator[Block]:
    """What the objectives that make room give up, and what that costs them."""
    lower = [change for change in memo.proposal.changes if change.action == "lower"]
    if not lower:
        return
    yield Heading(3, "What makes room")
    yield Table(
        "Objectives with a smaller share; their settings stay",
        ("objective", "information", "prediction", "of the loss"),
        tuple(
            (code(c.name), flow(c.traits), predicted(c.traits), _moved(c.loss))
            for c in lower
        ),
        ("left", "left", "left", "right"),
    )
    sources = dict.fromkeys(source for change in lower for source in change.sources)
    yield Items((*(f"Numbers: {source}." for source in sources), _own_loss(memo)))


def _own_loss(memo: Memo) -> str:
    """What the change is expected to do to the losses that the mixture has."""
    mix = memo.effects.mixes.get(memo.proposal.precedent or "")
    if mix is None or mix.own_loss is None:
        return (
            "Expected change of the held-out losses of these objectives: not measured."
        )
    own = mix.own_loss
    low, value, high = (100 * (x - 1) for x in (own.low, own.value, own.high))
    held = {o.base for o in memo.proposal.mixture.objectives().values()}
    more = sorted({base_name(n) for n, rate in mix.rates.items() if rate > 0} - held)
    return (
        "Expected change of the held-out losses of these objectives at equal processed "
        f"tokens: {value:+.1f} % [{low:+.1f}, {high:+.1f}], measured in the study, mix "
        f"{code(memo.proposal.precedent or '')}"
        + (f", which also holds {listed(map(code, more))}." if more else ".")
    )

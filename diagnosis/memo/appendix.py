"""The appendix: everything that the memo stands on, in full."""

from collections.abc import Iterator, Mapping

from ...tasks.examples.mixture import Mixture
from ..causes.cause import Evidence, listed, percent
from ..results.effects import Effect
from ..revision.propose import Change
from ..scores.complaints import LONG_NAMES, Complaint, interval
from ..scores.score import FAILURES
from ..traits.forms import AskedMode
from ..traits.objective_traits import Traits
from .blocks import Block, Figure, Fold, Items, Paragraph, Table, code
from .failures import moved
from .first_page import metric, number
from .inputs import Memo
from .pictures import KINDS, bases, divided, share_bars
from .score_tables import all_scores
from .sightlines import sightlines


def appendix(memo: Memo) -> Iterator[Fold]:
    """The parts, in the order in which the main text leans on them."""
    yield Fold("What was examined", (_subject(memo),))
    if memo.complaints:
        yield Fold("What reviewers found", (_reviewers(memo),))
    if memo.causes:
        yield Fold("Causes and their figures", tuple(_causes(memo)))
    if memo.proposal.changes:
        yield Fold("Shares before and after", tuple(_shares(memo)))
        yield Fold("What each objective sees and predicts", tuple(_flows(memo)))
    if memo.not_measured:
        yield Fold("Probes that were left out", (Items(memo.not_measured),))
    if memo.effects.mixes:
        yield Fold("Every mix of the study", tuple(_study(memo)))
    if memo.scores:
        yield Fold("Every score", tuple(all_scores(memo.scores)))


def _subject(memo: Memo) -> Table:
    origin = memo.provenance
    none = "no checkpoint: parts that need one are not measured"
    rows = [
        ("Date", origin.date),
        ("Run", code(origin.run) if origin.run else none),
        ("Step", "not measured" if origin.step is None else f"{origin.step:,}"),
        ("Mixture", f"{code(memo.mixture.name)}, {code(origin.gin)}"),
        ("Tasks", _tasks(memo.mixture)),
        ("Corpus of the probes", code(origin.corpus)),
        ("Vocabulary", code(memo.mixture.vocabulary)),
        ("Architecture", origin.architecture.replace("_", "–")),
        ("Rows", _rows(memo)),
        ("Mode in which the model was asked", origin.mode or "not measured"),
        ("Normalisation of the loss", code(memo.traits.normalisation)),
    ]
    if origin.parameters is not None:
        rows.insert(3, ("Parameters", f"{origin.parameters:,}"))
    if origin.command:
        rows.append(("Command", code(origin.command)))
    return Table("Model, mixture and corpus", ("what", "which"), tuple(rows), _TWO)


_TWO = ("left", "left")


def _tasks(mixture: Mixture) -> str:
    rates = mixture.positive_rates()
    total = sum(rates.values())
    return ", ".join(f"{code(task)} {percent(r / total)}" for task, r in rates.items())


def _rows(memo: Memo) -> str:
    decoder, encoder = memo.rows.decoder, memo.rows.encoder
    text = f"{decoder.slots} slots, {decoder.predictions} predictions"
    if encoder is not None:
        text += f"; encoder: {encoder.slots} slots, {encoder.predictions} predictions"
    return text


def _reviewers(memo: Memo) -> Table:
    return Table(
        "95 % intervals are Wilson's",
        ("failure", "texts", "of", "share", "95 % interval"),
        tuple(map(_counted, memo.complaints)),
        ("left", "right", "right", "right", "right"),
    )


def _counted(complaint: Complaint) -> tuple[str, ...]:
    name, share = LONG_NAMES[complaint.failure], complaint.share
    ends = interval(complaint)
    if share is None or ends is None:
        return name, "named", "–", "not counted", "–"
    low, high = ends
    counts = f"{complaint.count:,}", f"{complaint.total:,}"
    return name, *counts, percent(share), f"{percent(low)} – {percent(high)}"


def _causes(memo: Memo) -> Iterator[Block]:
    yield Table(
        "Verdicts, in the order in which causes are checked: an earlier one shadows "
        "those after it. Where a cause is not found, the failures it could explain",
        ("cause", "verdict", "failures"),
        tuple(
            (f"{c.number}. {c.name}", c.verdict, _failures(c.failures))
            for c in memo.causes
        ),
        ("left", "left", "left"),
    )
    for cause in memo.causes:
        yield Paragraph(
            f"**{cause.number}. {cause.name}: {cause.verdict}.** {cause.statement}"
        )
    yield Table(
        "The figures that the verdicts stand on",
        ("cause", "figure", "value", "source"),
        tuple(
            (f"{c.number}", e.what, _amount(e), e.source)
            for c in memo.causes
            for e in c.evidence
        ),
        ("left", "left", "right", "left"),
    )


def _failures(failures: tuple[str, ...]) -> str:
    return ", ".join(name for f, name in LONG_NAMES.items() if f in failures) or "none"


def _amount(evidence: Evidence) -> str:
    value, unit = evidence.value, evidence.unit
    if unit == "share":
        return percent(value)
    if unit == "score":
        return f"{value:.3f}"
    if unit == "nats":
        return f"{value:.3f} nats"
    return f"{value:,.0f}{' tokens' if unit == 'tokens' else ''}"


def _shares(memo: Memo) -> Iterator[Block]:
    yield Table(
        "Shares before and after",
        ("objective", "change", "for", "of examples", "of the loss"),
        tuple(map(_share_row, memo.proposal.changes)),
        ("left", "left", "left", "right", "right"),
    )
    sources = {
        source: [c.name for c in memo.proposal.changes if source in c.sources]
        for change in memo.proposal.changes
        for source in change.sources
    }
    yield Items(
        tuple(f"{listed(map(code, names))}: {s}." for s, names in sources.items())
    )
    if memo.traits.normalisation != "objective":
        yield Paragraph(
            "Until now the loss was a plain sum over tokens, so its shares were those "
            "of the tokens. The shares above hold under the normalisation `objective`, "
            "which `recommended.gin` binds."
        )
    bars = [
        (f"{what}, {when}", divided(traits, getattr(traits, by)))
        for what, by in (("tokens", "supervised"), ("loss", "loss"))
        for when, traits in (("before", memo.traits), ("after", memo.proposal.traits))
    ]
    yield Figure(
        share_bars(bars),
        "Supervised tokens and loss, by what they are predicted from; measured on each "
        "mixture's own Examples.",
    )
    yield Table(
        "The same in figures",
        ("supervision", *(label for label, _ in bars)),
        tuple(
            (legend, *(percent(shares[kind]) for _, shares in bars))
            for kind, (legend, _) in KINDS.items()
        ),
        ("left", "right", "right", "right", "right"),
    )


def _share_row(change: Change) -> tuple[str, ...]:
    acts = LONG_NAMES[change.failure] if change.failure else "makes room"
    shares = moved(change.rate), moved(change.loss)
    return code(change.name), change.action, acts, *shares


def _flows(memo: Memo) -> Iterator[Block]:
    """A small picture of each objective of either mixture, and the same in words."""
    names = dict.fromkeys([*bases(memo.traits), *bases(memo.proposal.traits)])
    drawn = sightlines(list(names), memo.mixture.vocabulary)
    before = set(bases(memo.traits))
    cards = [
        f"<div><p>{name}{'' if name in before else ' (new)'}</p>{drawn[name]}</div>"
        for name in names
    ]
    yield Figure(
        f'<div class="sights">{"".join(cards)}</div>',
        "Sightlines: a row is a slot; filled columns are the tokens that it may see, "
        "lettered by their place in the text. Blue rows predict what stands at their "
        "right; grey rows predict nothing. A line separates inputs, above, from "
        "targets. Twelve letters, with settings that show on so short a text.",
    )
    yield Table(
        "Measured on the rows of the proposal",
        ("objective", "information", "prediction"),
        tuple(
            (code(c.name), flow(c.traits), predicted(c.traits))
            for c in memo.proposal.changes
        ),
        ("left", "left", "left"),
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
    parts = [f"{percent(s)} {kind}" for kind, s in kinds.items() if s >= 0.005]
    return f"Its supervised tokens are predicted {listed(parts)}.{seen}"


def predicted(traits: Traits) -> str:
    """What is predicted: a label, a whole sequence, every next token or a few."""
    asked, slots = traits.supervised, traits.processed
    size = f"{_tokens(asked)} in {slots:,.0f} slots an Example"
    if traits.labels > 0.5:
        kinds = {"other": "another document", "further": "further on in the same one"}
        kinds |= {"swapped": "swapped", "none": "none of these"}
        negatives = [f"{percent(s)} {kinds[k]}" for k, s in traits.kinds.items() if s]
        negative = f"{percent(traits.negatives)} say that it does not go on"
        return f"A coherence label, one an Example; {negative} ({listed(negatives)})."
    if traits.whole > 0.5:
        return f"The whole sequence, from a corrupted form of it: {size}."
    if traits.onward > 0.9 and asked > 0.8 * slots:
        return f"Every next token of the text: {size}."
    if traits.onward > 0.9:
        return f"The rest of the text, token after token: {size}."
    return f"A few tokens: {size}."


def _tokens(count: float) -> str:
    number = f"{count:,.0f}"
    return f"{number} supervised token{'' if number == '1' else 's'}"


def _study(memo: Memo) -> Iterator[Block]:
    """Every effect of every mix, a table a failure."""
    effects = memo.effects
    yield Paragraph(
        f"{effects.tokens:,} processed tokens each, on {code(effects.corpus)}; the "
        f"incumbent is {code(effects.incumbent)}. Intervals are the envelope of the "
        "seeds' 95 % intervals."
    )
    for failure in FAILURES:
        rows = tuple(
            _study_row(name, effect)
            for name, mix in effects.mixes.items()
            for effect in mix.effects
            if effect.failure == failure
        )
        if rows:
            yield Table(
                f"{LONG_NAMES[failure].capitalize()}; ↓ lower is better",
                ("mix", "metric", "value", "interval", "seeds"),
                rows,
                ("left", "left", "right", "right", "right"),
            )


def _study_row(name: str, effect: Effect) -> tuple[str, ...]:
    between = f"{number(effect.low)} – {number(effect.high)}"
    return code(name), metric(effect), number(effect.value), between, f"{effect.seeds}"

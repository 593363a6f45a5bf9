"""The appendix: everything that the memo is based on, in full."""

from collections.abc import Iterator

from ..causes.cause import Evidence
from ..failures.registry import failures, get
from ..findings.complaints import interval
from ..results.effects import Difference
from ..scores.score import Score
from ..wording import listed, percent
from .blocks import Block, Commands, Figure, Fold, Items, Paragraph, Table, code
from .formatting import flow, measured, metric, moved, number, predicted
from .inputs import Memo
from .nearness import described
from .pictures import KINDS, bases, divided, share_bars
from .published import published_fold
from .sightlines import sightlines


def appendix(memo: Memo) -> Iterator[Fold]:
    """The parts, in the order in which the main text refers to them."""
    yield Fold("What was examined", [_subject(memo), *_command(memo)])
    if memo.complaints:
        yield Fold("What reviewers found", [_reviewers(memo)])
    if memo.causes:
        yield Fold("Causes and their figures", list(_causes(memo)))
    if memo.proposal.changes:
        yield Fold("Shares before and after", list(_shares(memo)))
        yield Fold("What each objective sees and predicts", list(_flows(memo)))
    if memo.not_measured:
        yield Fold("Probes that were left out", [Items(memo.not_measured)])
    if memo.effects.mixes:
        yield Fold("Every mix of the study", list(_study(memo)))
    if memo.scores:
        yield Fold("Every score", list(_scores(memo)))
    if memo.published is not None:
        yield published_fold(memo.published)


def _subject(memo: Memo) -> Table:
    origin, mixture = memo.provenance, memo.mixture
    none = "no checkpoint: parts that need one are not measured"
    shares = mixture.task_shares()
    tasks = [f"{code(task)} {percent(share)}" for task, share in shares.items()]
    streams = [
        f"{name}{stream.slots} slots, {stream.predictions} predictions"
        for name, stream in (("", memo.rows.decoder), ("encoder: ", memo.rows.encoder))
        if stream is not None
    ]
    rows = [
        ("Date", origin.date),
        ("Run", code(origin.run) if origin.run else none),
        ("Step", "not measured" if origin.step is None else f"{origin.step:,}"),
        ("Parameters", origin.parameters and f"{origin.parameters:,}"),
        ("Mixture", f"{code(mixture.name)}, {code(origin.gin)}"),
        ("Tasks", ", ".join(tasks)),
        ("Corpus of the probes", code(origin.corpus)),
        ("Vocabulary", code(mixture.vocabulary)),
        ("Architecture", origin.architecture.replace("_", "–")),
        ("Rows", "; ".join(streams)),
        ("Mode in which the model was asked", origin.mode or "not measured"),
        ("Normalisation of the loss", code(memo.traits.normalisation)),
    ]
    present = [(what, which) for what, which in rows if which]
    return Table("Model, mixture and corpus", ("what", "which"), present, "ll")


def _command(memo: Memo) -> Iterator[Block]:
    """What wrote the memo, as it was typed: inline code would lose spaces of paths."""
    if memo.provenance.command:
        yield Paragraph("The command:")
        yield Commands([memo.provenance.command])


def _reviewers(memo: Memo) -> Table:
    rows = []
    for complaint in memo.complaints:
        name, ends = get(complaint.failure).title, interval(complaint)
        cells = "named", "–", "not counted", "–"
        if complaint.share is not None and ends is not None:
            counts = f"{complaint.count:,}", f"{complaint.total:,}"
            between = " – ".join(map(percent, ends))
            cells = *counts, percent(complaint.share), between
        rows.append((name, *cells))
    head = ("failure", "texts", "of", "share", "95 % interval")
    return Table("95 % intervals are Wilson's", head, rows, "lrrrr")


def _causes(memo: Memo) -> Iterator[Block]:
    yield Table(
        "Verdicts, in the order in which causes are checked: an earlier one shadows "
        "those after it. Where a cause is not found, the failures it could explain",
        ("cause", "verdict", "failures"),
        [
            (
                f"{cause.number}. {cause.name}",
                cause.verdict,
                ", ".join(
                    known.title
                    for f, known in failures().items()
                    if f in cause.failures
                )
                or "none",
            )
            for cause in memo.causes
        ],
        "lll",
    )
    for cause in memo.causes:
        yield Paragraph(
            f"**{cause.number}. {cause.name}: {cause.verdict}.** {cause.statement}"
        )
    yield Table(
        "The figures that the verdicts stand on",
        ("cause", "figure", "value", "source"),
        [
            (f"{cause.number}", figure.what, _amount(figure), figure.source)
            for cause in memo.causes
            for figure in cause.evidence
        ],
        "llrl",
    )


def _amount(evidence: Evidence) -> str:
    value, unit = evidence.value, evidence.unit
    if unit == "share":
        return percent(value)
    if unit in ("score", "nats"):
        return f"{value:.3f}{' nats' if unit == 'nats' else ''}"
    return f"{value:,.0f}{' tokens' if unit == 'tokens' else ''}"


def _shares(memo: Memo) -> Iterator[Block]:
    changes = memo.proposal.changes
    yield Table(
        "Shares before and after",
        ("objective", "change", "for", "of examples", "of the loss"),
        [
            (
                code(change.name),
                change.action,
                listed([get(f).title for f in change.failures] or ["makes room"]),
                moved(change.rate),
                moved(change.loss),
            )
            for change in changes
        ],
        "lllrr",
    )
    sources: dict[str, list[str]] = {}
    for change in changes:
        sources.setdefault(change.source, []).append(code(change.name))
    yield Items([f"{listed(names)}: {source}." for source, names in sources.items()])
    if memo.traits.normalisation != "objective":
        yield Paragraph(
            "Until now the loss was a plain sum over tokens. The shares above hold "
            "under the normalisation `objective`, which `recommended.gin` binds."
        )
    bars = {
        f"{what}, {when}": divided(traits, getattr(traits, by))
        for what, by in (("tokens", "supervised"), ("loss", "loss"))
        for when, traits in (("before", memo.traits), ("after", memo.proposal.traits))
    }
    yield Figure(
        share_bars(bars),
        "Supervised tokens and loss, by what they are predicted from.",
    )
    yield Table(
        "The same in figures",
        ("supervision", *bars),
        [
            (legend, *(percent(shares[kind]) for shares in bars.values()))
            for kind, (legend, _) in KINDS.items()
        ],
        "lrrrr",
    )


def _flows(memo: Memo) -> Iterator[Block]:
    """A small picture of each objective of either mixture, and the same in words."""
    before, after = bases(memo.traits), bases(memo.proposal.traits)
    names = list(dict.fromkeys([*before, *after]))
    drawn = sightlines(names, memo.mixture.vocabulary)
    cards = "".join(
        f"<div><p>{name}{'' if name in before else ' (new)'}</p>{drawn[name]}</div>"
        for name in names
    )
    yield Figure(
        f'<div class="sights">{cards}</div>',
        "A row is a slot; filled columns are the tokens that it may see, lettered by "
        "their place in the text. Blue rows predict what stands at their right. A line "
        "separates inputs, above, from targets. Settings are those for short texts.",
    )
    yield Table(
        "Measured on the rows of the proposal",
        ("objective", "information", "prediction"),
        [
            (code(change.name), flow(change.traits), predicted(change.traits))
            for change in memo.proposal.changes
        ],
        "lll",
    )


def _study(memo: Memo) -> Iterator[Block]:
    """Every effect of every mix, a table a failure."""
    effects = memo.effects
    yield Paragraph(
        f"Study {described(effects)}; {effects.tokens:,} processed tokens each on "
        f"{code(effects.corpus)}, {effects.setup.seeds} seeds, {effects.setup.date}. "
        f"The incumbent is {code(effects.incumbent)}. Intervals are the envelope of "
        "the seeds' 95 % intervals; Δ is the 95 % interval of the difference from the "
        "incumbent, paired by seed, where the study took it."
    )
    for failure, known in failures().items():
        rows = [
            (
                *(code(name), metric(effect), *measured(effect)),
                *(_change(mix.difference(*effect[:3])), f"{effect.seeds}"),
            )
            for name, mix in effects.mixes.items()
            for effect in mix.effects
            if effect.failure == failure
        ]
        if rows:
            yield Table(
                f"{known.heading}; ↓ lower is better",
                ("mix", "metric", "value", "interval", "Δ", "seeds"),
                rows,
                "llrrrr",
            )


def _change(difference: Difference | None) -> str:
    if difference is None:
        return ""
    return f"{difference.low:+.3f} – {difference.high:+.3f}"


_SCORED = (
    *("probe", "of", "metric", "value", "95 % interval", "chance", "baselines"),
    *("mode", "items / documents"),
)


def _scores(memo: Memo) -> Iterator[Block]:
    """Every score with chance and all baselines, a table a failure."""
    yield Paragraph(
        "Intervals are 95 % bootstrap intervals over documents. Baselines are scored "
        "on all items, including those too long for a row."
    )
    for failure, known in failures().items():
        rows = [_scored(score) for score in memo.scores if score.failure == failure]
        if rows:
            yield Table(
                f"Scores of {known.title}; ✗ where the interval reaches chance "
                "or the best shallow baseline",
                _SCORED,
                rows,
                "lllrrrllr",
            )


def _scored(score: Score) -> tuple[str, ...]:
    baselines = [f"{name} {number(value)}" for name, value in score.baselines.items()]
    return (
        score.probe,
        score.kind,
        f"{score.metric} ({score.better} is better)",
        *measured(score),
        "none" if score.chance is None else number(score.chance),
        ", ".join(baselines) or "none",
        f"{score.mode}, {'trained' if score.trained else 'never trained'}",
        f"{score.items:,} / {score.documents:,}",
    )

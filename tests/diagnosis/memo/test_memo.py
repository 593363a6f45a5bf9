"""The memo: what it says, that nothing breaks its files, that all of them are there."""

import html.parser
import itertools
import os
import re
import shlex

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from sightline.diagnosis.causes.causes import causes
from sightline.diagnosis.failures.registry import names
from sightline.diagnosis.findings.complaints import Complaint, named
from sightline.diagnosis.memo import (
    limit_rows as limit_rows_module,
    memo as memo_module,
)
from sightline.diagnosis.memo.adapt_text import (
    ADAPT,
    Adaptation,
    adapt_text,
    kept_share,
    steps_for,
)
from sightline.diagnosis.memo.blocks import (
    Document,
    Fold,
    Heading,
    Paragraph,
    Table,
    code,
)
from sightline.diagnosis.memo.content import content
from sightline.diagnosis.memo.gin_text import gin_text
from sightline.diagnosis.memo.isolated import isolated
from sightline.diagnosis.memo.memo import FILES, Memo, Provenance, check, texts, write
from sightline.diagnosis.memo.pages import markdown, page
from sightline.diagnosis.memo.pictures import divided
from sightline.diagnosis.probes.reconstruction.restoration import GAIN
from sightline.diagnosis.probes.reconstruction.restored import NOTHING
from sightline.diagnosis.results import effects_file
from sightline.diagnosis.results.effects import (
    Comparison,
    Difference,
    Effect,
    Effects,
    Mix,
    OwnLoss,
    Setup,
)
from sightline.diagnosis.results.nearest import Run
from sightline.diagnosis.revision.limited import LimitCost, Limited
from sightline.diagnosis.revision.limits import NO_LIMITS, Limits
from sightline.diagnosis.revision.propose import propose
from sightline.diagnosis.scores.score import Score
from sightline.diagnosis.traits.traits import mixture_traits
from sightline.diagnosis.wording import percent
from sightline.launch.configuration.config import load
from sightline.launch.configuration.mixture import mixture_of, rows_of
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mixture import Mixture

EVIL = "a`<b>|*x*\n{{memo}}</script>"
ROWS = decoder_rows(slots=64, predictions=12)
TWO = encoder_decoder_rows(
    slots=16, predictions=16, memory_slots=64, memory_predictions=12
)
THREE = ("drift", "continuation", "reconstruction")
COUNTED = tuple(Complaint(f, n, 80) for f, n in zip(THREE, (8, 20, 4), strict=True))

MIXTURES = {
    "plain": Mixture(
        "plain",
        {"masked": 0.8, "permuted": 0.2},
        corpora={"policies": 1},
        vocabulary="policies",
    ),
    "variants": Mixture(
        "variants",
        {"policies.x/span_corruption": 3, "python_docs.sentence_pair": 1},
        loss_shares={"span_corruption": 1.0, "sentence_pair": 0.0},
        settings={
            "x/span_corruption": {"mean_span": 2.0, "mode": "X"},
            "sentence_pair": {"other": 0.5, "swapped": 0.0, "further": 0.0},
        },
        vocabulary="policies",
    ),
}


def scores():
    made = [
        Score(
            f,
            "probe",
            kind,
            "accuracy",
            value,
            value - 0.05,
            value + 0.05,
            0.5,
            "higher",
            "masked",
            trained,
            {"bag of words": 0.4},
            40,
            10,
        )
        for f in THREE
        for kind, value, trained in (("near", 0.52, True), ("far", 0.81, False))
    ]
    nothing = [float("nan")] * 3
    made.append(made[0]._replace(kind="none", value=nothing[0], low=nothing[1]))
    return tuple(made)


def study():
    effects = tuple(
        Effect(f, "probe", "accuracy", 0.5, 0.45, 0.55, "higher", 0.5, 3) for f in THREE
    )
    better = tuple(e._replace(value=0.9, low=0.85, high=0.95) for e in effects)
    rates = {"masked": 0.8, "permuted": 0.2}
    more = {"masked": 0.2, "permuted": 0.2, "prefix": 0.2, "reconstruction": 0.2}
    more["sentence_pair"] = 0.2
    pairs = {"sentence_pair": {"other": 0.1, "further": 0.2, "swapped": 0.2}}
    own = OwnLoss(1.031, 1.02, 1.042)
    mixes = {
        "old": Mix(rates, rates, {}, None, effects),
        "new": Mix(more, more, pairs, own, better),
    }
    setup = Setup("small", 20_000, "decoder", "a small text", None, 3, "2001-02-01")
    return Effects("policies", 12345, "", "old", mixes, setup)


def three_failures():
    """The first of the shipped studies."""
    (one,) = [s for s in effects_file.shipped() if s.setup.name == "three_failures"]
    return one


def memo_of(
    mixture,
    *,
    complaints=COUNTED,
    scored=(),
    effects=None,
    rows=ROWS,
    limits=NO_LIMITS,
    **more,
):
    traits = mixture_traits(mixture, rows, examples=12)
    found = causes(traits, complaints=complaints, scores=scored or None)
    studies = (effects,) if effects else ()
    proposal = propose(
        *(mixture, traits, found, scored, complaints, studies),
        rows=rows,
        examples=24,
        limits=limits,
    )
    origin = {"date": "2001-02-03", "gin": "old.gin", "folder": "out"}
    origin |= {"corpus": "policies", "architecture": "decoder"} | more
    return Memo(
        Provenance(**origin),
        mixture,
        rows,
        traits,
        found,
        complaints,
        scored,
        proposal,
        effects or Effects(),
        studies=studies,
    )


@pytest.fixture(scope="module")
def bare():
    """Without a checkpoint, without a study."""
    return memo_of(MIXTURES["plain"])


@pytest.fixture(scope="module")
def full():
    """With a checkpoint and a study, and names that would break what is careless."""
    told = {"run": EVIL, "step": 4321, "mode": "masked", "command": EVIL}
    return memo_of(MIXTURES["plain"], scored=scores(), effects=study(), **told)


class Tags(html.parser.HTMLParser):
    """Checks that elements close in the order in which they open."""

    VOID = ("meta", "br", "img", "path", "rect", "circle", "use")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.headings, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID or not self.get_starttag_text().endswith("/>"):
            if tag != "meta":
                self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("which", ["bare", "full"])
def test_the_page_is_sound_and_needs_nothing(which, request):
    text = texts(request.getfixturevalue(which))["memo.html"]
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    levels = [int(tag[1]) for tag, _ in tags.seen if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = [attrs["id"] for _, attrs in tags.seen if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs in tags.seen:
        assert tag not in ("script", "link", "img", "iframe", "object")
        assert not {"src", "srcset"} & set(attrs)
        assert attrs.get("href", "#").startswith("#")
        assert attrs.get("href", "#")[1:] in ("", *ids)
        assert tag != "svg" or attrs.get("aria-label"), attrs
        assert tag != "th" or attrs.get("scope")
    assert "url(" not in text.replace("url(#", "")
    assert "@import" not in text and "://" not in text
    assert "nan" not in "".join(tags.text).split()


def test_names_are_escaped(full):
    made = texts(full)
    assert "<b>|" not in made["memo.html"]
    assert "a&#39;&lt;b&gt;|*x* {{memo}}&lt;/script&gt;" in made["memo.html"]
    (row,) = [x for x in made["memo.md"].splitlines() if x.startswith("| Run ")]
    assert row == "| Run | `a'<b>\\|*x* {{memo}}</script>` |"


def test_every_row_of_a_table_has_its_cells(full):
    lines = texts(full)["memo.md"].splitlines()
    bars = [len(re.findall(r"(?<!\\)\|", line)) for line in lines]
    for line, here, there in zip(lines, bars, bars[1:], strict=False):
        assert not here or not there or here == there, line


def document(*blocks, title="t"):
    return Document((Heading(1, title), *blocks), (Fold("all", ()),))


def test_markdown_escapes_what_is_no_code():
    plain = Paragraph("*a* `*b*` <c> x_y _z_ | [d](e) [0, 1]")
    text = markdown(document(plain, Paragraph("one ` alone, **bold** a*b")))
    assert (
        "\\*a\\* `*b*` &lt;c&gt; x_y \\_z\\_ \\| [d\\](e) [0, 1]\n\n"
        "one ' alone, **bold** a\\*b\n" in text
    )
    table = Table("c", ("h",), [("`a|b`",)], "l")
    assert "| `a\\|b` |" in markdown(document(table))
    assert code("a`b\nc") == "`a'b c`"
    html = page(document(Paragraph("one ` alone, **bold** <i>"), Paragraph("`**x**`")))
    assert "one &#39; alone, <strong>bold</strong> &lt;i&gt;" in html
    assert "<p><code>**x**</code></p>" in html


def parts(text):
    return text.split("\n---\n")[0], text.split("\n---\n")[1]


def test_parts_are_in_order(full):
    main, appendix = parts(texts(full)["memo.md"])
    assert re.findall(r"^## (.*)$", main, re.MULTILINE) == [
        "Long-form drift",
        "Incoherent continuation",
        "Unfaithful reconstruction",
        "How to verify it",
        "What was not measured",
    ]
    assert re.findall(r"^## Appendix: (.*)$", appendix, re.MULTILINE) == [
        "What was examined",
        "What reviewers found",
        "Causes and their figures",
        "Shares before and after",
        "What each objective sees and predicts",
        "Every mix of the study",
        "Every score",
    ]
    for question in ("What fails", "What to change", "What it costs", "What is known"):
        assert f"**{question}" in main.split("\n## ")[0]


@pytest.mark.parametrize("which", ["bare", "full", "shipped"])
def test_the_memo_is_short(which, request):
    if which == "shipped":
        memo = memo_of(MIXTURES["plain"], effects=three_failures())
    else:
        memo = request.getfixturevalue(which)
    main, _ = parts(texts(memo)["memo.md"])
    assert len(main.split("\n## ")[0].split()) <= 260
    assert len(main.split()) <= 1200


def test_the_appendix_is_folded_and_printed_open(full):
    html = texts(full)["memo.html"]
    assert html.count("<details>") == 7
    printed = html[html.index("@media print") :]
    assert "details::details-content" in printed
    main, appendix = html.split('id="appendix"')
    assert "Every score" in appendix and "<details>" not in main
    assert main.count("<svg") == 1


def test_without_a_checkpoint_parts_are_marked(bare):
    made = texts(bare)
    assert "no checkpoint" in made["memo.html"]
    assert made["memo.md"].count("Not measured on this model") == len(THREE)
    assert made["memo.html"].count(">not measured</text>") == len(THREE)
    assert "study was not run" in made["memo.md"]


def test_figures_are_told(full):
    text = texts(full)["memo.md"]
    for told in (
        "| 8 | 80 | 10 % | 5.2 % – 18.5 % |",  # Wilson's interval of 8 of 80
        "0.520 ✗ | 0.470 – 0.570 | 0.500 | bag of words 0.400 | masked, trained",
        "0.810 | 0.760 – 0.860",
        "masked, never trained",
        "0.500 → 0.900",
        "+3.1 % [+2.0, +4.2]",
        "sightline mix diff old.gin out/recommended.gin",
        "--run_dir=runs/recommended",
        "4,321",
    ):
        assert told in text, told


def test_commands_of_the_memo_repeat_what_they_need(bare):
    origin = bare.provenance._replace(
        imports=("my tasks.py",), asked=("--mode=prefix", "--seed=3")
    )
    text = texts(bare._replace(provenance=origin))["memo.md"]
    commands = re.findall(r"sightline (?:mix diff|audit|train|diagnose) .*", text)
    assert len(commands) >= 4
    assert all(" --import='my tasks.py'" in command for command in commands)
    assert " --mode=prefix --seed=3 --import" in text


_ON_A_LINE = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
)


def commands_in(text):
    """The words of each command in comments, once the comment signs are off."""
    bare = "\n".join(line.removeprefix("# ") for line in text.split("\n"))
    found = re.findall(r"^  sightline (?:.*\\\n)*.*", bare, re.MULTILINE)
    return [shlex.split(command.replace("\\\n", " ")) for command in found]


@pytest.mark.unchecked
@settings(max_examples=20, deadline=None)
@example(folder="a memo [d]*{}#%s  x", module="my tasks.py")
@given(folder=_ON_A_LINE.map("memos/{}".format), module=_ON_A_LINE)
def test_commands_in_the_gin_files_are_run_as_they_stand(bare, folder, module):
    origin = bare.provenance._replace(folder=folder, imports=(module,))
    memo = bare._replace(provenance=origin)
    folder = folder.rstrip("/")
    words = [f"--gin_file={folder}/recommended.gin", f"--import={module}"]
    given = {"path": memo.path("recommended.gin"), "imports": memo.imports}
    assert commands_in(gin_text(memo.mixture, memo.proposal, **given)) == [
        ["sightline", "train", *words, "--run_dir=runs/recommended"],
        ["sightline", "train", *words, "--gin_file=YOURS.gin", "--run_dir=runs/yours"],
    ]
    how = Adaptation("runs/a", 40, "", 4, 0.1, 0.4, 1e-3, memo.proposal)
    given["path"] = memo.path(ADAPT)
    words[0] = f"--gin_file={folder}/{ADAPT}"
    assert commands_in(adapt_text(memo.mixture, how, **given)) == [
        ["sightline", "train", *words, "--run_dir=runs/adapted"]
    ]


def test_the_command_of_the_memo_keeps_its_spaces(bare):
    command = shlex.join(["sightline", "diagnose", "--out=a  `b` | c"])
    origin = bare.provenance._replace(command=command)
    assert f"\n{command}\n" in texts(bare._replace(provenance=origin))["memo.md"]


def test_from_which_strength_a_model_restores_is_told(bare):
    """Of a failure's own probe, where it was measured, and nowhere else."""
    of_kind = Score(
        *("reconstruction", "restoration", "deletion, 15 %", "edit distance"),
        *(0.1, 0.05, 0.15, None, "lower", "reconstruction", True, {NOTHING: 0.15}),
        *(20, 20),
    )
    gain = of_kind._replace(
        metric=GAIN, value=0.05, low=0.01, high=0.09, baselines={NOTHING: 0.0}
    )
    told = markdown(content(bare._replace(scores=(of_kind, gain))))
    at = told.index("deletion from 15 % on")
    assert told.rfind("## ", 0, at) == told.index("## Unfaithful reconstruction")
    assert "from 15 %" not in markdown(content(bare))


def test_what_a_mix_holds_beside_what_is_proposed_is_told():
    two = named(["drift", "continuation"])
    text = texts(memo_of(MIXTURES["plain"], complaints=two, effects=study()))["memo.md"]
    assert "as in the study's mix `new`, which was measured with `recon" in text


def test_each_change_has_cost_and_evidence(full):
    text = texts(full)["memo.md"]
    for change in full.proposal.changes:
        if change.failures:
            part = re.search(rf"### Add `{change.name}`.*?(?=\n##)", text, re.DOTALL)
            assert part is not None
            for item in ("Examples", "Hypothesis", "Evidence", "Cost"):
                assert f"- {item}: " in part.group(), item
    assert "in a permuted order" in text
    assert "whole sequence" in text
    assert "coherence label" in text


def test_the_loss_on_what_a_failure_needs_is_that_share():
    """Also of pairs that order does not tell, of which none acts on the failure."""
    settings = {"sentence_pair": {"other": 0.5, "further": 0.0, "swapped": 0.0}}
    rates = {"policies.masked": 0.7, "policies.sentence_pair": 0.3}
    topic = Mixture("topic", rates, settings=settings, vocabulary="policies")
    memo = memo_of(topic, complaints=named(["continuation"]))
    after = memo.proposal.traits
    labels = sum(share for name, share in after.loss.items() if "pair" in name)
    told = f"Loss on labels of pairs: 30 % → {percent(labels)}."
    assert told in " ".join(texts(memo)["memo.md"].split())


def test_an_objective_is_credited_with_what_it_alone_does(full):
    text = texts(full)["memo.md"]
    main, _ = parts(text)
    evidence = re.findall("- Evidence: (.*)", main)
    assert len(evidence) == 3  # the study's new mix adds three objectives at once
    assert all("not isolated" in line for line in evidence)


def test_a_difference_that_the_study_took_decides_and_is_in_the_appendix():
    made = study()
    change = Difference("drift", "probe", "accuracy", "higher", 0.5, 0.9, -0.1, 0.9, 3)
    new = made.mixes["new"]._replace(differences=(change,))
    seen = made._replace(mixes={**made.mixes, "new": new})
    main, appendix = parts(texts(memo_of(MIXTURES["plain"], effects=seen))["memo.md"])
    assert (
        "| `new` | probe, accuracy | 0.900 | 0.850 – 0.950 | -0.100 – +0.900"
        in appendix
    )
    first = " ".join(main.split("\n## ")[0].split())
    assert "probe, accuracy 0.500 → 0.900 (no clear difference)" in first


def test_a_single_addition_isolates_an_objective():
    effects = three_failures()
    pairs = isolated(effects, "sentence_pair", "continuation")
    # Of twelve mixes only `bert` is another one, `masked`, and pairs. By likelihood
    # `causal` alone reaches what `revised` has, so pairs are not credited with it.
    assert {(p.without, p.having) for p in pairs} == {("masked", "bert")}
    assert {p.probe: p.verdict for p in pairs} == {
        "continuation, by likelihood": "no clear difference",
        "continuation, by label": "no clear difference",
    }
    for objective, failure in (("causal", "drift"), ("reconstruction",) * 2):
        assert isolated(effects, objective, failure) == []


def test_a_pair_that_differs_otherwise_isolates_nothing():
    effects = study()
    old = effects.mixes["old"]
    more = old._replace(
        rates={"masked": 0.4, "permuted": 0.1, "prefix": 0.5},
        loss_shares={"masked": 0.4, "permuted": 0.1, "prefix": 0.5},
        effects=effects.mixes["new"].effects,
    )

    def pairs(mix):
        both = {"old": old, "more": mix}
        return isolated(effects._replace(mixes=both), "prefix", "drift")

    (pair,) = pairs(more)
    assert pair.verdict == "better" and (pair.without, pair.having) == ("old", "more")
    other_rates = {"masked": 0.3, "permuted": 0.2, "prefix": 0.5}
    assert not pairs(more._replace(rates=other_rates))
    assert not pairs(more._replace(loss_shares=other_rates))
    assert not pairs(more._replace(settings={"masked": {"rate": 0.3}}))
    two = {**more.rates, "causal": 0.1}
    assert not pairs(more._replace(rates=two))


def with_comparison(low, high, better="higher"):
    """The study with `prefix` left out of its new mix, named `far`."""
    effects = study()
    new = effects.mixes["new"]
    without = {name: share for name, share in new.rates.items() if name != "prefix"}
    change = Difference("drift", "probe", "accuracy", better, 0.5, 0.9, low, high, 3)
    return effects._replace(
        mixes={**effects.mixes, "out": new._replace(rates=without)},
        comparisons=(Comparison("prefix", "out", "new", None, (change,)),),
        setup=effects.setup._replace(name="far", parameters=2_000_000_000),
    )


@pytest.mark.parametrize(
    ("low", "high", "better", "verdict"),
    [
        (0.1, 0.5, "higher", "better"),
        (0.1, 0.5, "lower", "worse"),
        (-0.5, -0.1, "higher", "worse"),
        (-0.1, 0.5, "lower", "no clear difference"),
    ],
)
def test_a_comparison_that_a_study_made_is_taken(low, high, better, verdict):
    (pair,) = isolated(with_comparison(low, high, better), "prefix", "drift")
    assert (pair.without, pair.having, pair.verdict) == ("out", "new", verdict)
    assert f"(Δ [{low:+.3f}, {high:+.3f}])" in pair.text


def test_the_nearest_study_is_named_and_a_fallback_is_said(full):
    run = Run(2_000_000, 12_345_000)
    near, far = study(), with_comparison(0.1, 0.5)
    text = texts(full._replace(studies=(near, far), about=run))["memo.md"]
    assert "`small` (0.02 M parameters, 0.012 M tokens of a small text" in text
    assert "100 times fewer parameters and 1,000 times fewer tokens" in text
    assert "Whether effects carry over" in text.split("\n## ")[0]
    evidence = re.findall("- Evidence: (.*)", text)
    (line,) = [line for line in evidence if "`prefix` alone" in line]
    assert "the nearer `small` has none" in line
    assert "1,000 times more parameters" in line


def test_a_study_of_another_kind_is_said_to_be(full):
    adapted = study()
    adapted = adapted._replace(setup=adapted.setup._replace(original_tokens=246_900))
    text = texts(full._replace(studies=(adapted,), effects=adapted))["memo.md"]
    assert "from a checkpoint, 5 % more than its own)" in text
    assert "this run's size is unknown" in text
    known = full._replace(studies=(adapted,), effects=adapted, about=Run(20_000))
    assert (
        "it has about as many parameters; this run begins from"
        in (texts(known)["memo.md"])
    )


def test_what_limits_cost_is_told():
    limits = Limits(most_new=1, keep=("masked",))
    memo = memo_of(MIXTURES["plain"], effects=study(), limits=limits)
    text = texts(memo)["memo.md"]
    part = re.search(r"## What the limits cost.*?(?=\n## )", text, re.DOTALL)
    assert part is not None
    assert "The mixture keeps `--most_new=1 --keep=masked`." in part.group()
    assert "| `--most_new=1` | " in part.group()
    assert "stays unremedied" in part.group()
    assert "Without limits the shares would be those of the study's mix `new`" in text
    assert "leaves no room for what acts on it" in text


def test_a_part_of_a_remedy_is_of_what_is_added(bare, monkeypatch):
    monkeypatch.setattr(limit_rows_module, "supplied", lambda traits, failure: 0.2)

    def outcome(within):
        cost = LimitCost("--keep=masked", {"drift": (0.25, within)})
        limited = Limited((cost,), None, None)
        ((*_, told),) = limit_rows_module.limit_rows(
            bare._replace(proposal=bare.proposal._replace(limited=limited))
        )
        return told

    assert outcome(0.215) == "gets 30 % of its remedy"
    assert outcome(0.2) == outcome(0.19) == "stays unremedied"


def test_limits_that_cost_nothing_are_told():
    memo = memo_of(MIXTURES["plain"], limits=Limits(most_new=9))
    assert "The limits cost nothing" in texts(memo)["memo.md"]


def test_the_bars_are_whole():
    for mixture in MIXTURES.values():
        traits = mixture_traits(mixture, ROWS, examples=12)
        for shares in (traits.supervised, traits.loss):
            assert sum(divided(traits, shares).values()) == pytest.approx(1)


def test_the_same_memo_is_the_same_text(bare):
    assert texts(bare) == texts(bare)


@pytest.mark.parametrize("rows", [ROWS, TWO], ids=["decoder", "encoder_decoder"])
@pytest.mark.parametrize("name", sorted(MIXTURES))
@pytest.mark.parametrize("files", [(), ("any_mixture.gin",)], ids=["alone", "after"])
def test_the_gin_file_gives_what_is_recommended(name, rows, files, tmp_path):
    memo = memo_of(MIXTURES[name], rows=rows, complaints=named(names()))
    write(memo, tmp_path / "out")
    path = tmp_path / "out" / "recommended.gin"
    config = load([*files, str(path)])
    mixture, wanted = mixture_of(config), memo.proposal.mixture
    assert mixture.rates == wanted.rates
    assert mixture.loss_shares == wanted.loss_shares
    assert mixture.objectives() == wanted.objectives()
    assert rows_of(config) == memo.proposal.rows
    arguments = config.arguments("train", run_dir="x", config="")
    assert arguments["rows"] == memo.proposal.rows
    assert not [line for line in config.unused() if line.startswith("recommended")]


def test_a_file_of_no_change_trains_too(tmp_path):
    memo = memo_of(MIXTURES["plain"])
    kept = propose(memo.mixture, memo.traits, (), (), (), (), rows=memo.rows)
    write(memo._replace(proposal=kept, complaints=()), tmp_path / "out")
    config = load([str(tmp_path / "out" / "recommended.gin")])
    assert mixture_of(config).objectives() == memo.mixture.objectives()
    assert rows_of(config) == memo.rows


def test_three_files_are_written_and_written_again(bare, tmp_path):
    out = tmp_path / "new" / "memo"
    assert write(bare, out) == [out / name for name in FILES]
    (out / "memo.md").write_text("former")
    write(bare, out)
    assert sorted(os.listdir(out)) == sorted(FILES)
    assert (out / "memo.md").read_text() == texts(bare)["memo.md"]
    assert os.listdir(out.parent) == ["memo"]


def test_the_file_that_adapts_a_run_comes_and_goes_with_it(bare, tmp_path):
    start = "train.seed = 0"
    how = Adaptation("runs/a b", 40, start, 4, 0.1, 1 / 3, 0.00067, bare.proposal)
    out = tmp_path / "memo"
    names = [*FILES, ADAPT]
    assert write(bare._replace(adaptation=how), out) == [out / name for name in names]
    memo = (out / "memo.md").read_text()
    assert "adapt the run at 10 % of its tokens, 4 steps, keeping 33.3 % of its" in memo
    text = (out / ADAPT).read_text()
    for line in ("train.start_from = 'runs/a b@40'", "warmup_cosine.peak = 0.00067"):
        assert f"\n{line}\n" in text
    assert mixture_of(load([str(out / ADAPT)])).rates == bare.proposal.mixture.rates
    write(bare, out)
    assert sorted(os.listdir(out)) == sorted(FILES)


@pytest.mark.parametrize(
    ("rates", "memo", "gin"),
    [
        (
            {"policies.permuted": 0.5, "policies.causal": 0.5},
            "40 % of its mixture without `masked`",
            "divided as the run divided it without masked, so that it forgets little.",
        ),
        (
            {"policies.causal": 1.0},
            "nothing of its mixture",
            "None of the run's objectives is left, so that it may forget them.",
        ),
    ],
)
def test_what_an_adapted_run_does_not_keep_is_said(rates, memo, gin, bare):
    after = Mixture("adapted", rates, vocabulary="policies")
    how = Adaptation("runs/a", 40, "", 4, 0.1, 0.4, 1e-3, bare.proposal)
    how = how._replace(proposal=bare.proposal._replace(mixture=after))
    assert kept_share(bare.mixture, how) == memo
    assert gin in " ".join(
        adapt_text(bare.mixture, how, path="x").replace("#", "").split()
    )


@pytest.mark.parametrize(
    ("before", "after", "steps"), [(ROWS, ROWS, 100), (ROWS, TWO, 80), (TWO, ROWS, 125)]
)
def test_a_share_of_the_tokens_in_steps(before, after, steps):
    assert steps_for(0.1, step=1000, before=before, after=after) == steps
    assert steps_for(1e-9, step=1000, before=before, after=after) == 1
    assert steps_for(0.1, step=0, before=before, after=after) is None


def test_who_adapts_an_imported_model_binds_its_length_and_peak(bare, tmp_path):
    start = """include 'models/tiny.gin'
train.model = @ModelConfig()
train.optimizer = @adamw
train.batch_rows = 8
train.seed = 0"""
    how = Adaptation("runs/llama", 0, start, None, 0.1, 1 / 3, None, bare.proposal)
    write(bare._replace(adaptation=how), tmp_path / "memo")
    path, options = tmp_path / "memo" / ADAPT, "STEPS --gin.warmup_cosine.peak=PEAK"
    for name in ("memo.md", ADAPT):
        text = (path.parent / name).read_text()
        assert f" --gin.train.steps={options} --run_dir=runs/adapted\n" in text
        assert "of its tokens" not in text and "has read" not in text

    def told(*bindings):
        config = load([str(path)], bindings)
        return config.arguments("train", run_dir="x", config="")

    with pytest.raises(UsageError, match=r"not bound, .*: train\.steps\."):
        told()
    with pytest.raises(UsageError, match=r"not bound, .*: warmup_cosine\.peak\."):
        told("train.steps=9")["schedule"](steps=9)
    schedule = told("train.steps=9", "warmup_cosine.peak=1e-3")["schedule"]
    assert schedule(steps=9)(9) == 0


def test_a_folder_with_anything_else_is_refused(bare, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"mine\.txt"):
        write(bare, tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        check(tmp_path / "mine.txt")
    assert os.listdir(tmp_path) == ["mine.txt"]


@pytest.mark.parametrize("name", ["r[1]", "a*b?", "{c} #1 100%", "ä 中文", "-x"])
def test_any_name_of_a_folder(bare, tmp_path, name):
    out = tmp_path / name / name
    check(out)
    assert os.listdir(tmp_path) == []  # to check leaves nothing behind
    write(bare, out)
    write(bare, out)
    assert sorted(os.listdir(out)) == sorted(FILES)
    assert load([str(out / "recommended.gin")])


@pytest.mark.parametrize("where", ["/proc/x", "FILE/memo", "n" * 300])
def test_what_cannot_be_written_is_refused_at_once(where, tmp_path):
    (tmp_path / "FILE").write_text("")
    out = tmp_path / where
    with pytest.raises(UsageError, match=r"--out .* cannot be written"):
        check(out)


@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_half_written(bare, tmp_path, monkeypatch, there):
    out = tmp_path / "memo"
    if there:
        write(bare._replace(provenance=bare.provenance._replace(date="before")), out)
    before = {p: p.read_text() for p in tmp_path.rglob("*") if p.is_file()}

    def fail(*_, **__):
        raise OSError("disk full")

    for name in ("gin_text", "page"):
        with monkeypatch.context() as patched:
            patched.setattr(memo_module, name, fail)
            with pytest.raises(OSError):
                write(bare, out)
    with monkeypatch.context() as patched:
        made = texts(bare)
        patched.setattr(memo_module, "texts", lambda _: {**made, "memo.md": "\ud800"})
        with pytest.raises(UnicodeEncodeError):
            write(bare, out)
    assert {p: p.read_text() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert out.exists() == there


def test_content_needs_no_failure(bare):
    kept = propose(bare.mixture, bare.traits, (), (), (), (), rows=bare.rows)
    document = content(bare._replace(proposal=kept, complaints=(), causes=()))
    text = markdown(document)
    assert "No failure was reported" in text
    assert "keep the mixture" in text


def test_a_checkpoint_of_which_nothing_could_be_measured_is_not_called_sound(bare):
    kept = propose(bare.mixture, bare.traits, (), (), (), (), rows=bare.rows)
    few = "24 documents are too few for continuation."
    asked = bare._replace(
        proposal=kept,
        complaints=(),
        causes=(),
        not_measured=(few,),
        provenance=bare.provenance._replace(run="runs/a"),
    )
    text = " ".join(markdown(content(asked)).split())
    assert f"none could be measured: {few}" in text
    assert "keep the mixture" not in text and "Give more `--documents`" in text


def test_files_of_a_memo_say_how_they_are_run_from_where_it_was_written(bare):
    there = bare.provenance._replace(folder="memos/of a")
    made = texts(bare._replace(provenance=there))
    command = "#   sightline train --gin_file='memos/of a/recommended.gin' \\\n"
    assert f"{command}#     --run_dir=runs/recommended\n" in made["recommended.gin"]

"""`sightline tune run`: losses and probe scores, in a table that is continued."""

import csv
import functools
import json
import math

import numpy as np
import pytest
from rich.console import Console

from sightline.diagnosis.probes.asking import scored
from sightline.diagnosis.tuning.table import read_table
from sightline.launch.cli import main
from sightline.launch.commands._proxy_table import (
    Wanted,
    _say_what_is_missing,
    train_table,
)
from sightline.launch.configuration.study import read_study
from sightline.launch.runs.lease import own_holder
from sightline.launch.studies import rows_of_arms
from sightline.launch.studies.proxies import Proxies, ProxyScores
from sightline.launch.studies.proxy_probes import ProxyProbes, failures_asked
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

SMALL = [
    "study.tokens=40000",
    "study.mixes={'incumbent': 'incumbent.gin'}",
    "study.held_out=1",
    "study.documents=26",
    "study.fitted=24",
    "study.restored=20",
    "study.batch_rows=8",
    "decoder_rows.slots=96",
    "decoder_rows.predictions=96",
    "ModelConfig.d_model=16",
    "ModelConfig.head_dim=8",
    "ModelConfig.d_hidden=16",
    "ModelConfig.layers=1",
    "warmup_cosine.warmup_steps=1",
    "policies.train_documents=60",
    "policies.validation_documents=40",
]
HEADER = "mixture,kind,seeds,causal,masked,permuted\n"
SEEDED = "mixture,seed,causal,masked,permuted\n"
WORDS = ["tune", "run", "--gin_file=three_failures.gin", "--population=8"]
WORDS += ["--components=causal,masked,permuted", *(f"--gin.{b}" for b in SMALL)]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short samples; the table holds no intervals, which most of the time goes to."""
    monkeypatch.setattr(rows_of_arms, "SAMPLE", 2)
    few = functools.partial(scored.bootstrap, resamples=20)
    monkeypatch.setattr(scored, "bootstrap", few)


def test_each_mixture_learns_what_it_holds_and_the_table_continues(tmp_path, capsys):
    design, out = tmp_path / "design.csv", tmp_path / "runs.csv"
    words = [*WORDS, "--failures=drift", f"--design={design}", f"--out={out}"]
    mixes = ["both,x,1,.5,.5,0", "reading,current,2,1,0,0", "filling,held_out,1,0,1,0"]
    design.write_text(HEADER + "\n".join(mixes))
    assert main(words) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    # The first seed of every mixture comes first.
    assert [(row["mixture"], row["kind"], row["seed"]) for row in rows] == [
        ("both", "x", "0"),
        ("reading", "current", "0"),
        ("filling", "held_out", "0"),
        ("reading", "current", "1"),
    ]
    assert rows[1]["loss_causal"] != rows[3]["loss_causal"]
    for row in rows:
        own = 0.8 * float(row["loss_masked"]) + 0.2 * float(row["loss_permuted"])
        assert float(row["own_loss"]) == pytest.approx(own, rel=1e-5)
        assert 0 <= float(row["score_drift"]) <= 1
    assert len({row["score_drift"] for row in rows}) > 1
    losses = {
        row["mixture"]: (float(row["loss_causal"]), float(row["loss_masked"]))
        for row in rows[:3]
    }
    assert losses["reading"][0] < losses["filling"][0]
    assert losses["filling"][1] < losses["reading"][1]
    tokens = [int(row["tokens"]) for row in rows]
    np.testing.assert_allclose(tokens, 40000, rtol=0.05)

    before = out.read_text()
    assert main(words) == 0  # nothing is left
    assert out.read_text() == before
    assert main([*words, "--gin.ModelConfig.d_model=32"]) == 2  # refused all the same
    error = capsys.readouterr().err
    assert "-ModelConfig.d_model = 16" in error and "+ModelConfig.d_model = 32" in error
    assert "rows of another config" in error

    design.write_text(HEADER + "both,x,1,.4,.6,0\n")
    assert main(words) == 2
    assert "mixture 'both' has other shares" in capsys.readouterr().err


def test_a_table_is_of_one_config(tmp_path, capsys, proxies_by_rule):
    design, out = tmp_path / "design.csv", tmp_path / "runs.csv"
    trained = proxies_by_rule(0.0)

    def run(*words):
        return main([*WORDS, f"--design={design}", f"--out={out}", *words])

    design.write_text(HEADER + "a,x,1,.5,.5,0\n")
    assert run() == 0 and len(trained) == 1
    design.write_text(HEADER + "a,x,1,.5,.5,0\nb,x,1,.4,.6,0\n")
    before = out.read_text()
    for word in (
        "ModelConfig.d_model=32",
        "study.tokens=80000",
        "study.documents=27",  # measured otherwise: scores are kept as well
        "policies.train_documents=61",  # other text
        "sentence_pair.max_tokens=50",  # no mix has it; a component may
        "study.mixes={'incumbent': 'gpt.gin'}",
    ):
        assert run(f"--gin.{word}") == 2, word
        error = capsys.readouterr().err
        assert f"{out} holds rows of another config" in error, error
        assert out.read_text() == before and len(trained) == 1
    assert "name another --out" in error
    # What changes no row may change.
    mixes = "study.mixes={'incumbent': 'incumbent.gin', 'gpt': 'gpt.gin'}"
    assert run(f"--gin.{mixes}", "--gin.study.points=7", "--gin.study.text=x") == 0
    assert len(trained) == 2

    (tmp_path / "runs.csv.gin").unlink()
    assert run() == 2
    assert "there is no runs.csv.gin beside it" in capsys.readouterr().err


def test_a_study_has_a_score_of_each_failure_whose_probe_it_asks_for():
    study = read_study(["three_failures.gin"], SMALL)
    asked = failures_asked(study)
    assert asked == ("drift", "continuation", "reconstruction")
    program = study.program(steps=1)
    probes = ProxyProbes(study, program, asked)
    components = Proxies(study=study, components=("causal", "masked"), size=8)
    mixture = components.mixture("mine", {"causal": 1.0})
    scores = probes.scores(mixture, program.initial_state().params)
    assert tuple(scores) == asked
    assert all(0 <= score <= 1.5 for score in scores.values()), scores


def test_two_processes_do_not_fill_one_table(tmp_path, capsys, proxies_by_rule):
    design, out = tmp_path / "design.csv", tmp_path / "runs.csv"
    trained = proxies_by_rule(0.0)
    design.write_text(HEADER + "a,x,1,.5,.5,0\n")
    holder = own_holder(tmp_path)  # of a process that lives, with another nonce
    (tmp_path / "runs.csv.lease").write_text(json.dumps(holder))
    words = [*WORDS, f"--design={design}"]
    assert main([*words, f"--out={out}"]) == 2
    assert "holds 'runs.csv.lease'" in capsys.readouterr().err
    assert not trained and not out.exists()
    assert main([*words, f"--out={tmp_path / 'other.csv'}"]) == 0  # of the same folder


def test_what_could_not_be_measured_is_said(tmp_path, monkeypatch, capsys):
    scores = ProxyScores(100, {"causal": 1.0, "masked": 2.0}, 1.5, {"drift": math.nan})
    monkeypatch.setattr(Proxies, "train", lambda self, runs: [scores] * len(runs))
    monkeypatch.setattr(Proxies, "steps", 10)
    design, out = tmp_path / "design.csv", tmp_path / "runs.csv"
    design.write_text("mixture,kind,seeds,causal,masked\nboth,x,1,.5,.5\n")
    words = [*WORDS, "--components=causal,masked", "--failures=drift"]
    assert main([*words, f"--design={design}", f"--out={out}"]) == 0
    error = " ".join(capsys.readouterr().err.split())
    assert "mixture 'both', seed 0: nothing to measure for score_drift" in error
    with pytest.raises(UsageError, match=r"column 'score_drift': the cell is empty"):
        read_table(out, ["causal", "masked"], ["score_drift"])


@pytest.mark.parametrize("ungated", [(), ("masked",)])
def test_what_is_trained_in_vain_does_not_count(ungated):
    """Losses just above and under a uniform guess's and the frequencies'."""
    study = read_study(["three_failures.gin"], [*SMALL, f"study.ungated={ungated}"])
    proxies = Proxies(study=study, components=("causal", "masked"), size=1)
    alone = proxies._frequencies_alone
    assert all(0 < loss < 7 for loss in alone.values())
    both = proxies.mixture("both", {"causal": 0.5, "masked": 0.5})
    one = proxies.mixture("one", {"causal": 1.0})

    def vain(mixture, **more):
        losses = {name: loss + more[name] for name, loss in alone.items()}
        return list(proxies._not_learned(mixture, losses))

    due = [] if ungated else ["masked"]
    assert vain(both, causal=-0.01, masked=-0.01) == []
    assert vain(both, causal=-0.01, masked=0.0) == due
    assert vain(both, causal=math.nan, masked=0.0) == ["causal", *due]
    assert vain(one, causal=-0.01, masked=9.0) == []


def test_an_objective_may_have_the_name_of_a_failure(tmp_path, proxies_by_rule):
    design, out = tmp_path / "design.csv", tmp_path / "runs.csv"
    design.write_text("mixture,reconstruction,masked\nboth,.5,.5\nwhole,1,0\n")
    words = [*WORDS, "--components=reconstruction,masked", "--failures=reconstruction"]
    words += [f"--design={design}", f"--out={out}"]
    trained = proxies_by_rule(0.0)
    assert main(words) == 0 and len(trained) == 2
    table = read_table(out, ["reconstruction", "masked"], ["score_reconstruction"])
    assert table.shares[:, 0].tolist() == [0.5, 1.0]
    assert table.scores[0] < table.scores[1]
    assert main(words) == 0 and len(trained) == 2  # it is continued


def test_a_component_may_not_have_the_name_of_another_column(tmp_path):
    out = tmp_path / "runs.csv"
    proxies = Proxies(study=None, components=("tokens", "masked"), size=1)
    runs = [Wanted("a", "x", {"tokens": 0.5, "masked": 0.5}, 0)]
    with pytest.raises(UsageError, match="'tokens' of --components would be two"):
        train_table(proxies, runs, out, Console(), config="")


def test_what_is_missing_is_said_of_a_mixture_of_any_name(capsys):
    row = {"mixture": "a[/b]", "seed": "0", "tokens": "5", "own_loss": ""}
    row["not_learned"] = ""
    _say_what_is_missing(row, list(row), Console())
    assert "'a[/b]', seed 0: nothing to measure for own_loss" in capsys.readouterr().out


def test_a_proxy_is_trained_as_its_mixture_says():
    study = read_study(["three_failures.gin"], SMALL)
    trained = Proxies(study=study, components=("causal", "sentence_pair"), size=8)
    rates = {"causal": 0.75, "sentence_pair": 0.25}
    mixture = trained.mixture("mine", rates)
    assert mixture.objective_rates() == {"causal": 0.75, "sentence_pair": 0.25}
    assert mixture.vocabulary == study.vocabulary
    assert mixture.objective("sentence_pair").settings["max_tokens"] == 40
    assert mixture.loss_shares is None
    shares = {"causal": 0.5, "sentence_pair": 0.5}
    assert trained.mixture("mine", rates, shares).loss_shares == shares
    with pytest.raises(UsageError, match=r"'sentence_pair' 0\.5 of"):
        trained.mixture("mine", {"causal": 1.0}, shares)


def test_the_loss_of_a_component_is_of_every_corpus_that_is_trained_on(monkeypatch):
    more = ["study.corpora={'policies': 1, 'text': 1}", "text.folder='/no/such'"]
    study = read_study(["three_failures.gin"], [*SMALL, *more])
    trained = Proxies(study=study, components=("causal", "masked"), size=1)
    tasks = ("policies.causal", "text.causal", "policies.masked", "text.masked")
    assert set(trained.even.positive_rates()) == set(tasks)
    batches = {task: [f"a batch of {task}"] for task in tasks}
    monkeypatch.setattr(Proxies, "_held_out_of", lambda self, mixture: batches)
    assert trained._held_out == {
        name: [f"a batch of {corpus}.{name}" for corpus in ("policies", "text")]
        for name in ("causal", "masked")
    }


def test_what_cannot_be_measured_is_refused_before_training(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(Proxies, "_train_step", None)  # a call is an error
    design, out = tmp_path / "design.csv", tmp_path / "runs.csv"
    design.write_text(HEADER + "a,x,1,.5,.5,0\n")
    words = [*WORDS, "--gin.study.probes={'minimal pairs': 'python_docs'}"]
    assert main([*words, f"--design={design}", f"--out={out}"]) == 2
    error = capsys.readouterr().err
    assert "the probe 'minimal pairs' of drift cannot measure proxies" in error
    assert "--failures=none" in error and not out.exists()


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("causal,masked,permuted\n.5,.5,0\n", [], "no column 'mixture'"),
        (HEADER + "a,x,1,.5,.4,0\n", [], "sum to 0.9"),
        (HEADER + "a,x,1,.5,.5,0\n", ["--population=0"], "--population is 0"),
        (HEADER + "a,x,1,.5,.5,0\n", ["--out=SAME"], "would replace the design"),
        (HEADER + "a,x,1,.5,.5,0\n", ["--out=OTHER"], "other columns than this run"),
        (HEADER + "a,x,0,.5,.5,0\n", [], "column 'seeds': '0' is no number of runs"),
        (HEADER + "a,x,101,.5,.5,0\n", [], "write one from 1 to 100"),
        (HEADER + 2 * "a,x,1,.5,.5,0\n", [], "mixture 'a' is there twice"),
        (HEADER + "a,x,1,.5,.5,0\n a,x,1,1,0,0\n", [], "'a' is there twice"),
        (HEADER + " ,x,1,.5,.5,0\n", [], "column 'mixture': the cell is empty"),
        (SEEDED + "a,2147483647,.5,.5,0\n", ["--seed=2147483647"], "row 1 is 42949672"),
        (SEEDED + "a,-1,.5,.5,0\n", [], "column 'seed': '-1' is no seed"),
        (HEADER + "a,x,1,.5,.5,0\n", ["--failures=drif"], "no failure 'drif'"),
    ],
)
def test_what_cannot_be_run_is_one_line(text, words, message, tmp_path, capsys):
    design, other = tmp_path / "design.csv", tmp_path / "other.csv"
    design.write_text(text)
    other.write_text(text)
    words = [w.replace("SAME", str(design)) for w in words]
    words = [w.replace("OTHER", str(other)) for w in words]
    out = [] if any("--out" in w for w in words) else [f"--out={tmp_path}/runs.csv"]
    assert main([*WORDS, f"--design={design}", *out, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1

"""`sightline mix show` and `mix diff`, on real text; every shipped mixture."""

import dataclasses
import json
import subprocess
import sys

import pytest

from sightline.launch.cli import main
from sightline.launch.commands import _mixture, mix_diff
from sightline.launch.configuration.config import load
from sightline.launch.configuration.files import SHIPPED
from sightline.launch.configuration.mixture import mixture_of, rows_of
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.preflight import check_examples

pytestmark = pytest.mark.unchecked

MIXTURES = sorted(path.stem for path in (SHIPPED / "mixtures").glob("*.gin"))
RECIPES = {
    "bert",
    "albert",
    "t5",
    "gpt",
    "xlnet",
    "bart",
    "ul2",
    "ul2r",
    "incumbent",
    "revised",
    "gpt_bert",
    "dual",
    "antlm",
    "t5gemma",
    "block_diffusion",
}


@pytest.fixture(autouse=True)
def few_documents(monkeypatch):
    """Type checks make each document ten times as dear under test."""
    monkeypatch.setattr(_mixture, "DOCUMENTS", 40)


def test_every_recipe_is_there():
    assert set(MIXTURES) >= RECIPES


@pytest.mark.parametrize("architecture", ["decoder", "encoder_decoder"])
@pytest.mark.parametrize("name", MIXTURES)
def test_a_shipped_mixture_fits_its_rows(name, architecture):
    config = load([f"{name}.gin"])
    rows = rows_of(config, architecture)
    check_examples(mixture_of(config), rows)
    if name in RECIPES:
        streams = [rows.decoder] + ([rows.encoder] if rows.encoder else [])
        assert max(stream.slots for stream in streams) == 512


@pytest.mark.parametrize("rows", ["decoder_rows", "encoder_decoder_rows"])
@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_a_run(name, rows):
    files = ["any_mixture.gin", f"{name}.gin"]
    config = load(files, [f"train.rows=@{rows}()"])
    settings = config.arguments("train", run_dir="", config="")
    assert settings["mixture"].name == name
    assert settings["rows"] == rows_of(config, rows.removesuffix("_rows"))


def test_json_of_a_mixture(capsys):
    words = ["mix", "show", "--gin_file=incumbent.gin", "--format=json"]
    small = ["--examples=800", "--gin.decoder_rows.slots=128"]
    assert main([*words, *small, "--gin.decoder_rows.predictions=64"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"utilisation", "objectives"}
    assert 0.9 < found["utilisation"] <= 1
    assert set(found["objectives"]) == {"masked", "permuted"}
    for name, rate in (("masked", 0.8), ("permuted", 0.2)):
        shown = found["objectives"][name]
        assert set(shown) == {
            *("rate", "examples", "processed", "supervised", "loss", "context")
        }
        assert shown["rate"] == rate == shown["loss"]
        # 800 Examples: four standard errors are 0.057.
        assert abs(shown["examples"] - rate) < 0.057
        assert sum(shown["context"].values()) == pytest.approx(1)
    assert found["objectives"]["masked"]["context"]["both"] > 0.98
    assert found["objectives"]["permuted"]["context"]["permuted"] > 0.98


def test_a_schedule_is_shown(capsys):
    words = ["mix", "show", "--gin_file=incumbent.gin", "--examples=400"]
    small = ["--gin.decoder_rows.slots=64", "--gin.decoder_rows.predictions=64"]
    changes = {500: {"settings": {"masked": {"rate": 0.3}}}}
    changes |= {1000: {"rates": {"policies.causal": 1}}}
    later = f"--gin.Mixture.schedule={changes}"
    assert main([*words, *small, later]) == 0
    said = capsys.readouterr().out
    assert "Phases of mixture incumbent" in said
    assert "1,000" in said and "policies.causal 100.00%" in said
    assert main([*words, *small, later, "--format=json"]) == 0
    phases = json.loads(capsys.readouterr().out)["phases"]
    assert [phase["first_step"] for phase in phases] == [0, 500, 1000]
    assert phases[1]["settings"] == {"from_500/masked.rate": 0.3}
    assert phases[2]["rates"] == {"policies.causal": 1.0}
    assert phases[2]["loss_shares"] == {"causal": 1.0}


def test_what_serving_costs_is_shown_at_other_rates(tmp_path, capsys):
    small = ["--gin.decoder_rows.slots=64", "--gin.decoder_rows.predictions=64"]
    files = ["--gin_file=incumbent.gin", *small, "--gin.policies.train_documents=30"]
    how = ["--layout=per_objective", "--workers=1", "--rows=60", "--shard_examples=90"]
    out = f"--out={tmp_path / 'rows'}"
    assert main(["record", *files, *how, out, "--gin.train.seed=0"]) == 0
    capsys.readouterr()
    rates = "--gin.Mixture.rates={'masked': 1, 'permuted': 3}"
    words = ["mix", "show", *files, rates, "--examples=200"]
    words.append(f"--recording={tmp_path / 'rows'}")
    assert main([*words, "--format=json"]) == 0
    served = json.loads(capsys.readouterr().out)["served"]
    assert served["groups"]["policies.permuted"]["examples"] == 0.75
    assert 0.5 < served["filled"] <= 1
    assert main(words) == 0
    assert "Rows mixed when served" in capsys.readouterr().out


def test_what_is_wrong_is_said_before_anything_heavy_is_imported():
    code = (
        "import sys; from sightline.launch.cli import main;"
        "status = main(['mix', 'show', '--gin_file=ul2.gin',"
        " '--gin.decoder_rows.slots=2048', '--gin.decoder_rows.predictions=2048']);"
        "heavy = {'tensorflow', 'seqio'} & set(sys.modules);"
        "sys.exit(9 if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "but the vocabulary has 100 sentinels; raise mean_span" in done.stderr


def test_differences_are_what_is_asked_for_otherwise():
    before = Mixture("a", {"policies.masked": 4, "policies.permuted": 1})
    after = Mixture(
        "b",
        {"policies.masked": 8, "policies.permuted": 2, "policies.causal": 0},
        settings={"masked": {"rate": 0.3}},
    )
    assert list(mix_diff.differences(before, after)) == [("masked.rate", 0.15, 0.3)]
    seeded = Mixture("d", before.rates, settings={"policies": {"seed": 3}})
    assert list(mix_diff.differences(before, seeded)) == [("policies.seed", None, 3)]
    alone = Mixture("c", {"policies.masked": 1})
    found = {name: pair for name, *pair in mix_diff.differences(before, alone)}
    assert found["rate of policies.masked"] == [0.8, 1.0]
    assert found["rate of policies.permuted"] == [0.2, None]
    assert found["permuted.k"] == [6, None]


def test_rates_and_shares_of_the_loss_are_of_the_mean_of_the_phases():
    shares = {"loss_shares": {"causal": 0.25, "masked": 0.75}}
    changing = Mixture(
        "changing",
        {"policies.causal": 0.5, "policies.masked": 0.5},
        loss_shares={"causal": 0.75, "masked": 0.25},
        schedule={100: shares},
    )
    even = dataclasses.replace(
        changing, loss_shares={"causal": 0.5, "masked": 0.5}, schedule={}
    )
    assert list(mix_diff.differences(changing, even)) == []


def test_shares_that_no_loss_reads_are_refused(capsys):
    words = ["mix", "show", "--gin_file=incumbent.gin"]
    words += ["--gin.Mixture.loss_shares={'masked': 0.7, 'permuted': 0.3}"]
    assert main([*words, "--gin.train.normalisation=token_sum"]) == 2
    assert "acts only with train.normalisation='objective'" in capsys.readouterr().err


def test_mix_diff_prints_both(capsys, tmp_path):
    named = tmp_path / "named.gin"
    named.write_text(
        "include 'mixtures/gpt.gin'\nMixture.name = 'g[red]p[/red]t'\n"
        "Mixture.schedule = {5: {'rates': {'causal': 2.0}}}\n"
    )
    words = ["mix", "diff", "incumbent.gin", str(named), "--examples=700"]
    small = ["--gin.decoder_rows.slots=64", "--gin.decoder_rows.predictions=64"]
    assert main([*words, *small]) == 0
    said = capsys.readouterr().out
    assert "incumbent → g[red]p[/red]t: what is asked for" in said
    assert "the mean of the phases" in said and "the first phase" in said
    assert "predicted from past" in said and "policies.causal" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mix", "shwo"], "no command 'mix shwo'; did you mean 'mix show'"),
        (["mix", "diff", "t5.gin", "brat.gin"], "did you mean 'bert.gin'"),
        (["mix", "show", "--gin_file=t5.gin", "--examples=5"], "close no row of"),
    ],
)
def test_mistakes(words, message, capsys):
    assert main(words) == 2
    assert message in capsys.readouterr().err

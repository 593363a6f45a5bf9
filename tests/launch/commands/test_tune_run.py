"""`sightline tune run`: a table of losses that continues where it ended."""

import csv

import numpy as np
import pytest

from sightline.launch.cli import main
from sightline.launch.configuration.study import read_study
from sightline.launch.studies import study_batches
from sightline.launch.studies.proxies import Proxies

pytestmark = pytest.mark.unchecked

SMALL = [
    "study.tokens=40000",
    "study.mixes={'incumbent': 'incumbent.gin'}",
    "study.held_out=1",
    "study.batch_rows=8",
    "ModelConfig.d_model=16",
    "ModelConfig.head_dim=8",
    "ModelConfig.d_hidden=16",
    "ModelConfig.layers=1",
    "warmup_cosine.warmup_steps=1",
    "policies.train_documents=60",
    "policies.validation_documents=40",
]
DESIGN = "mixture,kind,causal,masked\n"
WORDS = ["tune", "run", "--gin_file=three_failures.gin", "--components=causal,masked"]
WORDS += ["--population=8", *(f"--gin.{binding}" for binding in SMALL)]


@pytest.fixture(autouse=True)
def short_sample(monkeypatch):
    monkeypatch.setattr(study_batches, "SAMPLE", 2)


def test_each_mixture_learns_what_it_holds_and_the_table_continues(tmp_path, capsys):
    design, out = tmp_path / "design.csv", tmp_path / "runs.csv"
    words = [*WORDS, f"--design={design}", f"--out={out}"]
    design.write_text(DESIGN + "both,x,.5,.5\nreading,x,1,0\nfilling,x,0,1\n")
    assert main(words) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["mixture"] for row in rows] == ["both", "reading", "filling"]
    losses = {
        row["mixture"]: (float(row["loss_causal"]), float(row["loss_masked"]))
        for row in rows
    }
    assert losses["reading"][0] < losses["filling"][0]
    assert losses["filling"][1] < losses["reading"][1]
    tokens = [int(row["tokens"]) for row in rows]
    np.testing.assert_allclose(tokens, 40000, rtol=0.05)

    before = out.read_text()
    assert main(words) == 0  # nothing is left
    assert out.read_text() == before

    design.write_text(DESIGN + "both,x,.4,.6\n")
    assert main(words) == 2
    assert "mixture 'both' has other shares" in capsys.readouterr().err


def test_a_proxy_is_trained_as_its_mixture_says():
    study = read_study(["three_failures.gin"], SMALL)
    trained = Proxies(study=study, components=("causal", "sentence_pair"), size=8)
    mixture = trained.mixture("mine", {"causal": 0.75, "sentence_pair": 0.25})
    assert mixture.objective_rates() == {"causal": 0.75, "sentence_pair": 0.25}
    assert mixture.vocabulary == study.vocabulary
    assert mixture.objective("sentence_pair").settings["max_tokens"] == 40


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("causal,masked\n.5,.5\n", [], "no column 'mixture'"),
        (DESIGN + "a,x,.5,.4\n", [], "sum to 0.9"),
        (DESIGN + "a,x,.5,.5\n", ["--population=0"], "--population is 0"),
        (DESIGN + "a,x,.5,.5\n", ["--out=DESIGN"], "would replace the design"),
        (DESIGN + "a,x,.5,.5\n", ["--out=OTHER"], "other columns than this run"),
    ],
)
def test_what_cannot_be_run_is_one_line(text, words, message, tmp_path, capsys):
    design, other = tmp_path / "design.csv", tmp_path / "other.csv"
    design.write_text(text)
    other.write_text(text)
    words = [w.replace("DESIGN", str(design)) for w in words]
    words = [w.replace("OTHER", str(other)) for w in words]
    out = [] if any("--out" in w for w in words) else [f"--out={tmp_path}/runs.csv"]
    assert main([*WORDS, f"--design={design}", *out, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1

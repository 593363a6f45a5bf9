"""`sightline tune fit`: what it prints and writes, and what it refuses."""

import csv
import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from sightline.diagnosis.tuning import cross_validation
from sightline.launch.cli import main

pytestmark = pytest.mark.unchecked

COLUMNS = ["--components=a,b,c", "--targets=y,z", "--repeats=1"]


def write(path, rows, *, seed=0):
    rng = np.random.default_rng(seed)
    shares = np.round(rng.dirichlet(np.ones(3), rows), 4)
    y = np.exp(-2 * shares[:, 0] - shares[:, 1]) + rng.normal(scale=0.003, size=rows)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["run", "a", "b", "c", "y", "z"])
        for n in range(rows):
            writer.writerow([n, *shares[n], y[n], rng.normal()])
    return path


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    train = write(folder / "train.csv", 40)
    return folder, train, write(folder / "held.csv", 20, seed=1)


def test_json_holds_every_model_the_holdout_and_the_best_mixture(tables, capsys):
    folder, train, held = tables
    out = folder / "predicted.csv"
    words = [f"--holdout={held}", f"--predict={held}", f"--out={out}"]
    words += ["--minimise=y", "--maximise=z", "--format=json"]
    assert main(["tune", "fit", f"--csv={train}", *COLUMNS, *words]) == 0
    found = json.loads(capsys.readouterr().out)
    y, z = found["targets"]["y"], found["targets"]["z"]
    assert set(y["models"]) == {
        *("exponential", "gaussian_process", "linear", "trees", "constant")
    }
    for model in y["models"].values():
        for part in ("cross_validation", "holdout"):
            figures = model[part]
            assert {"spearman", "kendall", "rmse", "relative", "regret"} == set(figures)
            assert all(f is None or f["low"] <= f["high"] for f in figures.values())
    assert y["trusted"] in ("exponential", "gaussian_process")
    law = y["models"]["exponential"]["law"]
    assert law["t"]["a"] < law["t"]["b"] < law["t"]["c"]
    best = y["optimum"]["mixture"]
    rows = list(csv.DictReader(train.read_text().splitlines()))
    lowest = min(np.exp(-2 * float(r["a"]) - float(r["b"])) for r in rows)
    assert np.exp(-2 * best["a"] - best["b"]) < lowest + 0.01
    assert sum(best.values()) == pytest.approx(1)
    assert z["direction"] == "maximise" and z["trusted"] is None
    assert z["optimum"] is None and z["reason"].startswith("no evidence")

    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 20 and rows[3]["run"] == "3"
    errors = [float(r["y_predicted"]) - float(r["y"]) for r in rows]
    assert np.abs(errors).max() < 0.05
    assert all(float(r["y_low"]) < float(r["y_high"]) for r in rows)
    assert {r["z_model"] for r in rows} == {"constant"}


def test_tables_say_what_is_trusted(tables, capsys):
    _, train, held = tables
    words = [f"--csv={train}", *COLUMNS, f"--holdout={held}", "--minimise=y,z"]
    assert main(["tune", "fit", *words]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Trusted: " in text and "Best mixture: a 0." in text
    assert "None is trusted: no evidence that the components predict" in text
    assert "y, minimised: holdout" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--minimise=x"], "--minimise=x is no target; valid: y, z"),
        (["--minimise=y", "--maximise=y"], "to be minimised and maximised"),
        (["--predict=FILE"], "--predict is given without --out"),
        (["--out=FILE"], "--out is given without --predict"),
        (["--predict=FILE", "--out=FILE"], "would replace a table that is read"),
        (["--predict=FILE", "--out=no/such/p.csv"], "there is no folder"),
        (["--predict=FILE", "--out=FOLDER"], "is a folder; name a file in it"),
        (["--predict=TAKEN", "--out=p.csv"], "a column 'y_low', which"),
        (["--holdout=FILE"], "row 1 of those held out is another run of the mixture"),
        (["--holdout=ONE"], "the rows held out are of one mixture"),
        (["--holdout=missing.csv"], "No such file"),
        (["--repeats=0"], "--repeats is 0"),
        (["--seed=-1"], "--seed is -1"),
        (["--component=a"], "no option '--component'; did you mean '--components'"),
    ],
)
def test_bad_options_are_one_line(words, message, tables, capsys):
    folder, train, held = tables
    taken, one = folder / "taken.csv", folder / "one.csv"
    taken.write_text("a,b,c,y_low\n.5,.3,.2,1\n")
    one.write_text("".join(held.read_text().splitlines(keepends=True)[:2]))
    files = {"FILE": train, "FOLDER": folder, "TAKEN": taken, "ONE": one}
    for name, path in files.items():
        words = [word.replace(name, str(path)) for word in words]
    assert main(["tune", "fit", f"--csv={train}", *COLUMNS, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_too_few_rows_are_refused(tmp_path, capsys):
    train = write(tmp_path / "few.csv", 9)
    assert main(["tune", "fit", f"--csv={train}", *COLUMNS]) == 2
    error = capsys.readouterr().err
    assert "9 different mixtures in 9 rows; 3 components need 10 or more" in error


def test_without_scikit_learn_it_says_what_to_install(tables, capsys, monkeypatch):
    _, train, _ = tables
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["tune", "fit", f"--csv={train}", *COLUMNS]) == 2
    assert "pip install -c constraints.txt -e '.[tune]'" in capsys.readouterr().err


PAGE = Path(__file__).resolve().parents[3] / "docs" / "tuning.md"


def test_rows_held_out_by_their_kind_are_the_holdout(tables, tmp_path, capsys):
    _, train, held = tables
    both = tmp_path / "both.csv"
    rows = [(t, "held_out ") for t in held.read_text().splitlines()[1:]]
    rows += [(t, "x") for t in train.read_text().splitlines()[1:]]
    lines = [f"{text},{kind}" for text, kind in rows]
    both.write_text("\n".join(["run,a,b,c,y,z,kind", *lines]))
    found = []
    for words in ([f"--csv={both}"], [f"--csv={train}", f"--holdout={held}"]):
        words += [*COLUMNS, "--minimise=y", "--format=json"]
        assert main(["tune", "fit", *words]) == 0
        found.append(json.loads(capsys.readouterr().out))
    # Rows are named by their numbers in the file.
    best = found[1]["targets"]["y"]["optimum"]
    best["best_observed"]["row"] += 20
    best["gain_over_row"] += 20
    assert found[0] == found[1]
    words = [f"--csv={both}", f"--holdout={held}", *COLUMNS]
    assert main(["tune", "fit", *words]) == 2
    assert "rows of the kind 'held_out', and --holdout" in capsys.readouterr().err


def test_shares_of_the_loss_are_of_every_table_or_of_none(tables, tmp_path, capsys):
    """Refused before anything is fitted."""
    _, train, held = tables
    weighed = tmp_path / "weighed.csv"
    lines = train.read_text().splitlines()
    header = "run,a,b,c,y,z,share_a,share_b,share_c"
    weighed.write_text("\n".join([header, *(f"{n},0,0,1" for n in lines[1:])]))
    out = [f"--out={tmp_path / 'p.csv'}"]
    for csv_, other, words, message in (
        (weighed, "--predict", out, "that of --predict has none"),
        (weighed, "--holdout", [], "that of --holdout has none"),
        (train, "--predict", out, "the table of --predict has shares of the loss"),
    ):
        file = held if csv_ == weighed else weighed
        words = [f"--csv={csv_}", f"{other}={file}", *words]
        assert main(["tune", "fit", *words, *COLUMNS]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
        assert "(share_a, share_b, share_c)" in error


def test_the_page_runs_as_it_is_written(tmp_path, monkeypatch, capsys, proxies_by_rule):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cross_validation, "_MOST_REPEATS", 1)
    for name, seed in (("runs", 0), ("held_runs", 1)):
        text = write(tmp_path / f"{name}.csv", 30, seed=seed).read_text()
        header = "run,web,books,code,loss,accuracy\n"
        (tmp_path / f"{name}.csv").write_text(header + text.partition("\n")[2])
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    tune = [line for line in commands if line.startswith("sightline tune ")]
    assert len(tune) >= 10
    proxies_by_rule(0.001)  # training has tests of its own
    for line in tune:
        assert main(shlex.split(line)[1:]) == 0, line
        capsys.readouterr()
    header = (tmp_path / "predicted.csv").read_text().partition("\n")[0]
    assert "loss_predicted" in header and "accuracy_high" in header
    # The others are run in test_bench.py.
    others = [line for line in commands if line not in tune]
    assert all(line.startswith("sightline bench ") for line in others)

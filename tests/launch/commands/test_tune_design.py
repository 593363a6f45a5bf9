"""`sightline tune design`: a table that `tune fit` reads."""

import numpy as np
import pytest

from sightline.diagnosis.tuning.table import read_table
from sightline.launch.cli import main

pytestmark = pytest.mark.unchecked

COMPONENTS = ("causal", "masked", "permuted")
WORDS = ["tune", "design", f"--components={','.join(COMPONENTS)}", "--count=15"]


def test_the_table_holds_gin_mixtures_and_is_read_again(tmp_path, capsys):
    out = tmp_path / "design.csv"
    gin = ["--current=incumbent.gin", "--recipes=gpt.gin", f"--out={out}"]
    assert main([*WORDS, *gin]) == 0 and not capsys.readouterr().out
    table = read_table(out, COMPONENTS)
    assert len(table.shares) == 15
    assert [row["mixture"] for row in table.cells[:2]] == ["current", "gpt"]
    assert table.shares[0].tolist() == [0, 0.8, 0.2]
    assert table.shares[1].tolist() == [1, 0, 0]


def test_without_a_file_it_is_printed(capsys):
    assert main([*WORDS, "--kinds=dirichlet", "--seed=3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    header = "mixture,kind,seeds,causal,masked,permuted"
    assert lines[0] == header and len(lines) == 16


def test_shares_of_the_loss_seeds_and_mixtures_held_out(tmp_path):
    out = tmp_path / "design.csv"
    words = ["--components=masked,permuted,causal,reconstruction,sentence_pair"]
    words += ["--current=incumbent.gin", "--recipes=revised.gin", "--held_out=4"]
    words += ["--seeds=3", "--loss_shares", "--count=16", f"--out={out}"]
    assert main([*WORDS, *words]) == 0
    names = words[0].partition("=")[2].split(",")
    table = read_table(out, names)
    assert table.mixed == tuple(names)
    assert table.components[5:] == tuple(f"share_{name}" for name in names)
    # Both simplexes; the recipe's own shares.
    np.testing.assert_allclose(table.shares.reshape(-1, 2, 5).sum(axis=2), 1)
    np.testing.assert_allclose(table.shares[1, 5:], [0.08, 0.02, 0.79, 0.08, 0.03])
    fitted, held = table.parts()
    assert len(fitted.shares) == 16 and len(held.shares) == 4
    assert {row["seeds"] for row in held.cells} == {"3"}
    assert [row["seeds"] for row in fitted.cells[:2]] == ["3", "1"]


def test_draws_are_between_the_bounds(tmp_path):
    out = tmp_path / "design.csv"
    words = ["--between=causal:.5:.7, masked:0:.2", f"--out={out}"]
    assert main([*WORDS, *words]) == 0
    table = read_table(out, COMPONENTS)
    assert len(table.shares) == 15
    causal, masked, _ = table.shares.T
    assert causal.min() >= 0.5 and causal.max() <= 0.7 and masked.max() <= 0.2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipes=bert.gin"], "mixture 'bert' has 'sentence_pair'"),
        (["--count=2"], "--count=7 or more"),
        (["--out=no/such/file.csv"], "there is no folder"),
        (["--components=causal"], "at least 2"),
        (["--components=mixture,kind"], "'mixture' of --components would be two"),
        (["--components=a,share_a"], "'share_a' of --components would be two"),
        (["--recipes=a/x.gin", "--recipes=b/x.gin"], "both named 'x'"),
        (["--between=causal"], "'causal' is not NAME:LOW:HIGH"),
        (["--between=causal:a:b"], "'causal:a:b' is not NAME:LOW:HIGH"),
        (["--between=causal:0:1,causal:0:1"], "bounds 'causal' twice"),
        (["--between="], "'' is not NAME:LOW:HIGH"),
        (["--between=cusal:0:1"], "bounds 'cusal', which is none of --components"),
        (["--recipes=CAUSAL"], "two mixtures are named 'causal' (recipes and vert"),
    ],
)
def test_bad_options_are_one_line(words, message, tmp_path, capsys):
    recipe = tmp_path / "causal.gin"
    recipe.write_text("include 'incumbent.gin'\n")
    words = [word.replace("CAUSAL", str(recipe)) for word in words]
    assert main([*WORDS, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1

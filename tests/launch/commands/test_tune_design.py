"""`sightline tune design`: a table that `tune fit` reads."""

import numpy as np
import pytest

from sightline.diagnosis.tuning.table import read_table
from sightline.launch.cli import main
from sightline.launch.commands._design_runs import wanted

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
    header = "mixture,kind,seeds,seed,causal,masked,permuted"
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
    runs = wanted(table, out, seed=5)
    seeds = [run.seed for run in runs]
    assert len(set(seeds)) == 3 + 15 + 12  # each its own
    more = ["--seeds=4", "--held_out=5", "--count=17"]
    assert main([*WORDS, *words, *more]) == 0
    later = wanted(read_table(out, names), out, seed=5)
    before = {(run.name, run.seed) for run in runs}
    assert before < {(run.name, run.seed) for run in later}  # which none is changed by
    first = [run.name for run in runs[:20]]
    assert first == [row["mixture"] for row in table.cells]  # all mixtures before more


def test_draws_are_between_the_bounds(tmp_path):
    out = tmp_path / "design.csv"
    words = ["--between=causal:.5:.7, masked:0:.2", f"--out={out}"]
    assert main([*WORDS, *words]) == 0
    table = read_table(out, COMPONENTS)
    assert len(table.shares) == 15
    causal, masked, _ = table.shares.T
    assert causal.min() >= 0.5 and causal.max() <= 0.7 and masked.max() <= 0.2


def test_recipes_that_differ_in_the_loss_alone_are_kept_apart(tmp_path):
    light, heavy = tmp_path / "light.gin", tmp_path / "heavy.gin"
    light.write_text("include 'incumbent.gin'\n")
    shares = "Mixture.loss_shares = {'masked': .1, 'permuted': .9}\n"
    heavy.write_text(f"include 'incumbent.gin'\n{shares}")
    words = ["--current=incumbent.gin", f"--recipes={light}", f"--recipes={heavy}"]
    out = tmp_path / "design.csv"
    assert main([*WORDS, *words, "--loss_shares", f"--out={out}"]) == 0
    table = read_table(out, COMPONENTS)
    assert [row["mixture"] for row in table.cells[:2]] == ["current", "heavy"]
    np.testing.assert_allclose(table.shares[1, 3:], [0, 0.1, 0.9])


@pytest.mark.parametrize("option", ["--current", "--recipes"])
def test_shares_of_the_loss_that_the_table_would_lose_are_refused(
    option, tmp_path, capsys
):
    file, out = tmp_path / "x.gin", tmp_path / "design.csv"
    shares = "Mixture.loss_shares = {{'masked': {}, 'permuted': {}}}\n"
    words = [*WORDS, f"{option}={file}", f"--out={out}"]
    file.write_text("include 'incumbent.gin'\n" + shares.format(0.1, 0.9))
    assert main(words) == 2 and not out.exists()
    told = "x.gin binds Mixture.loss_shares: masked has 0.1 of the loss and 0.8 of"
    assert told in capsys.readouterr().err
    file.write_text("include 'incumbent.gin'\n" + shares.format(0.8, 0.2))
    assert main(words) == 0  # as the rates are


def test_variants_divide_the_share_of_their_objective(tmp_path):
    recipe, out = tmp_path / "recipe.gin", tmp_path / "design.csv"
    recipe.write_text(
        "include 'incumbent.gin'\n"
        "Mixture.rates = {'causal': 4, 'masked': 3, 'x2/masked': 1}\n"
        "x2/masked.rate = 0.5\n"
        "Mixture.loss_shares = {'causal': 0.6, 'masked': 0.4}\n"
    )
    words = ["--components=causal,masked,x2/masked", f"--current={recipe}"]
    assert main([*WORDS, *words, "--loss_shares", f"--out={out}"]) == 0
    table = read_table(out, ("causal", "masked", "x2/masked"))
    np.testing.assert_allclose(table.shares[0], [0.5, 0.375, 0.125, 0.6, 0.3, 0.1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipes=bert.gin"], "mixture 'bert' has 'sentence_pair'"),
        (["--count=2"], "--count=7 or more"),
        (["--out=no/such/file.csv"], "there is no folder"),
        (["--out=gin"], "'gin' is a folder; name a file in it"),
        (["--recipes=antlm.gin"], "binds Mixture.schedule"),
        (["--components=causal"], "at least 2"),
        (["--components=mixture,kind"], "'mixture' of --components would be two"),
        (["--components=a,share_a"], "'share_a' of --components would be two"),
        (["--recipes=a/x.gin", "--recipes=b/x.gin"], "both named 'x'"),
        (["--held_out=1"], "--held_out is 1"),
        (["--seeds=3"], "--seeds=3 is runs of the current mixture and of those held"),
        (["--kinds=current"], "'current' is read from --current, which is not given"),
        (["--kinds=dirichlet,recipes"], "'recipes' is read from --recipes, which is"),
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

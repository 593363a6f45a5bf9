"""`sightline tune design`: a table that `tune fit` reads."""

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
    assert lines[0] == "mixture,kind,causal,masked,permuted" and len(lines) == 16


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipes=bert.gin"], "mixture 'bert' has 'sentence_pair'"),
        (["--count=2"], "--count=7 or more"),
        (["--out=no/such/file.csv"], "there is no folder"),
        (["--components=causal"], "at least 2"),
    ],
)
def test_bad_options_are_one_line(words, message, capsys):
    assert main([*WORDS, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1

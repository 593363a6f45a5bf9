"""Runs that trained something in vain are left out, and only these."""

import pytest

from sightline.diagnosis.tuning.counting import counting
from sightline.diagnosis.tuning.table import read_table
from sightline.objectives.errors import UsageError


def table(path, *cells):
    rows = [f"m{n},.5,.5,{n},{cell}" for n, cell in enumerate(cells)]
    path.write_text("\n".join(["mixture,a,b,score,not_learned", *rows, ""]))
    return read_table(path, ["a", "b"], ["score"])


def test_rows_that_learned_all_count_and_keep_their_numbers(tmp_path):
    rows, others = counting(table(tmp_path / "t.csv", "", "a", " ", "a b"))
    assert others == 2 and rows.scores[:, 0].tolist() == [0, 2]
    assert list(rows.numbers) == [1, 3]


def test_a_table_without_the_column_counts_whole(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("mixture,a,b,score\nm,.5,.5,1\n")
    assert counting(read_table(path, ["a", "b"], ["score"]))[1] == 0


def test_a_table_of_which_no_row_counts_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no row counts.*study\.ungated"):
        counting(table(tmp_path / "t.csv", "a", "b"))

"""Tables of mixtures: what is read, and every way in which one is refused."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.tuning.against import spread_of
from sightline.diagnosis.tuning.table import (
    check_columns,
    check_held_out,
    distinct,
    groups_of,
    is_mixture,
    read_table,
    seeds_of,
)
from sightline.objectives.errors import UsageError

HEADER = "run,a,b,y\n"


@pytest.fixture
def read(tmp_path):
    def read(text, components=("a", "b"), targets=("y",), **options):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return read_table(path, components, targets, **options)

    return read


def test_shares_and_scores_are_read_by_name(read):
    text = "\ufeffy,run,b,a\n3,first,.25,0.75\n-1e-3,second, 1 ,0\n"
    table = read(text)
    np.testing.assert_allclose(table.shares, [[0.75, 0.25], [0, 1]])
    np.testing.assert_allclose(table.scores, [[3], [-0.001]])
    assert table.cells[0]["run"] == "first"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("0,.5,.5,1\n1,.5,,1\n", r"row 2 \(line 3\), column 'b': the cell is empty"),
        ("0,.5,.5\n", r"row 1 \(line 2\), column 'y': the cell is empty"),
        ("0,.5,.5,\n", "column 'y': the cell is empty"),
        ("0,.5,half,1\n", "column 'b': 'half' is no finite number"),
        ("0,.5,.5,nan\n", "column 'y': 'nan' is no finite number"),
        ("0,.5,.5,inf\n", "column 'y': 'inf' is no finite number"),
        ("0,.5,.5,1_0\n", "column 'y': '1_0' is no finite number"),
        ("0,1.5,-.5,1\n", "column 'b': the share -0.5 is negative"),
        ("0,.5,.4,1\n", r"row 1 \(line 2\): the shares of a, b sum to 0.9, not 1"),
        ("0,0,0,1\n", "all shares are 0"),
        ("0,.5,.5,1,7\n", "5 cells under 4 columns"),
        ("", "a header and no rows"),
        ('0,.5,.5,"1\n', "no CSV file"),
    ],
)
def test_a_bad_row_is_refused_by_name(rows, message, read):
    with pytest.raises(UsageError, match=message):
        read(HEADER + rows)


@pytest.mark.parametrize(
    ("components", "targets", "message"),
    [
        (("a", "B"), ("y",), "no column 'B'; did you mean 'b'"),
        (("a", "b"), ("z",), "no column 'z'"),
        (("a", "b", "a"), ("y",), "'a' is named 2 times"),
        (("a", "b"), ("a",), "'a' is named 2 times"),
        (("a",), ("y",), "at least 2"),
        (("a", ""), ("y",), "empty name"),
    ],
)
def test_bad_names_are_refused(components, targets, message, read):
    with pytest.raises(UsageError, match=message):
        read(HEADER + "0,.5,.5,1\n", components, targets)


def test_two_columns_of_one_name_and_an_empty_file_are_refused(read):
    with pytest.raises(UsageError, match="2 columns are named 'a'"):
        read("a,a,b,y\n.5,.5,.5,1\n")
    with pytest.raises(UsageError, match="2 columns are named 'note'"):
        read("note,a,b,y,note\nx,.5,.5,1,z\n")  # one of them would be lost
    with pytest.raises(UsageError, match="is empty"):
        read("")


def test_normalise_divides_rows_by_their_sum(read):
    table = read(HEADER + "0,30,10,1\n", normalise=True)
    np.testing.assert_allclose(table.shares, [[0.75, 0.25]])


@pytest.mark.parametrize(
    ("row", "accepted"),
    [
        (".333,.333,.333", True),  # thirds, rounded
        (".3333,.3333,.3333", True),
        (".33333,.33333,.333", False),  # five decimals hide less
        (".33,.33,.33", True),  # 1 % and what floats add to it
        (".34,.34,.33", True),
        ("0.33,0.33,0.32", False),
        ("0.5,0.3,0.1", False),  # one decimal hides more than 1 %
        ("0.30000000000000004,0.6,0.1", True),
        ("3.3e-1,3.3e-1,3.3e-1", False),
        ("3.3e-1,.33,.33", False),
    ],
)
def test_a_sum_may_be_off_by_rounding_alone(row, accepted, read):
    text = f"a,b,c,y\n{row},1\n"
    if accepted:
        assert read(text, ("a", "b", "c")).shares.sum() == pytest.approx(1, abs=1e-12)
    else:
        with pytest.raises(UsageError, match="not 1"):
            read(text, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("row", "accepted"),
    [
        ("0.249,0.249,0.25,0.25", True),  # half of .001 for each of four
        ("0.249,0.249,0.249,0.25", False),
        ("0.251,0.251,0.25,0.25", True),
        ("0.251,0.251,0.251,0.25", False),
        ("0.2490,0.249,0.25,0.25", False),  # what the longest cell shows
    ],
)
def test_rounding_hides_half_of_the_last_decimal_of_every_cell(row, accepted, read):
    text = f"a,b,c,d,y\n{row},1\n"
    if accepted:
        assert read(text, tuple("abcd")).shares.sum() == pytest.approx(1, abs=1e-12)
    else:
        with pytest.raises(
            UsageError, match=r"of a, b, c, d sum to .*give --normalise"
        ):
            read(text, tuple("abcd"))


def test_numbers_too_large_to_square_are_refused(read):
    assert read(HEADER + "0,.5,.5,-1e100\n").scores[0, 0] == -1e100
    with pytest.raises(UsageError, match=r"column 'y': '1e101' is too large.*1e\+100"):
        read(HEADER + "0,.5,.5,1e101\n")
    with pytest.raises(UsageError, match="column 'y': '-1e101' is too large"):
        read(HEADER + "0,.5,.5,-1e101\n")


def test_numbers_of_rows_are_kept_where_lines_are_empty(read):
    text = '\nrun,a,b,y\n\n"a\nb",.5,.5,1\n\n0,.5,.6,2\n'
    with pytest.raises(UsageError, match=r"row 2 \(line 7\): the shares"):
        read(text)


def test_shares_of_the_loss_follow_those_of_the_examples(read):
    text = "share_b,b,y,a,share_a\n.2,.5,1,.5,.8\n3,.4,1,.6,1\n"
    with pytest.raises(UsageError, match=r"row 2 .* of share_a, share_b sum to 4, not"):
        read(text)
    table = read(text, normalise=True)
    assert table.components == ("a", "b", "share_a", "share_b")
    assert table.mixed == ("a", "b")
    np.testing.assert_allclose(
        table.shares, [[0.5, 0.5, 0.8, 0.2], [0.6, 0.4, 0.25, 0.75]]
    )
    assert read(HEADER + "0,.5,.5,1\n").mixed == ("a", "b")


def test_seeds_are_whole_numbers_each_told_once(read):
    assert seeds_of(read(HEADER + "0,.5,.5,1\n")) == []
    rows = "".join(f"{seed},.5,.5,1\n" for seed in (" 7", "3.0", "7", "-1"))
    assert seeds_of(read(f"seed,a,b,y\n{rows}")) == [-1, 3, 7]
    for cell, wrong in (("1.5", "'1.5' is no whole"), ("", "the cell is empty")):
        with pytest.raises(UsageError, match=f"row 2, column 'seed': {wrong}"):
            seeds_of(read(f"seed,a,b,y\n1,.5,.5,1\n{cell},.5,.5,1\n"))


def test_a_component_that_would_be_two_columns_is_refused():
    check_columns(["mixture", "a", "seed"])
    with pytest.raises(UsageError, match=r"'seed' of --components .*: a, seed, b; ren"):
        check_columns(["a", "seed", "b", "seed"])


def test_runs_of_one_mixture_share_a_group(read):
    table = read(HEADER + "0,.5,.5,1\n1,.2,.8,2\n2,.5,.5,3\n")
    groups = table.groups()
    assert groups[0] == groups[2] != groups[1]


def test_shares_that_hardly_differ_are_one_mixture_everywhere(read):
    rows = [".333333333,.666666667", ".2,.8", ".33333333,.66666667", ".33334,.66666"]
    table = read("a,b,y\n" + "".join(f"{row},{n}\n" for n, row in enumerate(rows)))
    assert table.groups().tolist() == [1, 0, 1, 2]
    for row, mixture in enumerate(table.shares):
        same = table.groups() == table.groups()[row]
        np.testing.assert_array_equal(is_mixture(table.shares, mixture), same)
    np.testing.assert_array_equal(distinct(table.shares), table.shares[[1, 0, 3]])
    means = [1.0, 1.0, 3.0]  # of the mixtures
    assert spread_of(table.scores[:, 0], table.shares) == pytest.approx(np.std(means))


@given(st.integers(1, 30), st.integers(0, 99))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_groups_are_those_of_numpy_where_mixtures_are_apart(count, seed):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(3), 8).round(3)[rng.integers(8, size=count)]
    expected = np.unique(shares, axis=0, return_inverse=True)[1].reshape(-1)
    np.testing.assert_array_equal(groups_of(shares), expected)
    np.testing.assert_array_equal(distinct(shares), np.unique(shares, axis=0))


def test_what_is_held_out_is_two_mixtures_and_none_that_is_fitted(read):
    def parts(*held):
        rows = ["x,.1,.9,1", "x,.3,.7,2", *(f"held_out,{row},3" for row in held)]
        return read("kind,a,b,y\n" + "\n".join(rows)).parts()

    check_held_out(*parts(".5,.5", ".6,.4"))
    with pytest.raises(UsageError, match="row 4 of those held out is another run of"):
        check_held_out(*parts(".5,.5", ".3,.7"))
    with pytest.raises(UsageError, match="are of one mixture"):
        check_held_out(*parts(".5,.5", ".5,.5"))


def test_some_shares_of_the_loss_are_not_enough(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b,share_a\n.5,.5,1\n")
    with pytest.raises(UsageError, match="but no column 'share_b'"):
        read_table(path, ["a", "b"])


def test_the_parts_of_a_table_keep_the_numbers_of_their_rows(read):
    rows = ["held_out ,.5,.5,1", "x,.1,.9,2", " held_out,.2,.8,3", ",.3,.7,4"]
    fitted, held = read("kind,a,b,y\n" + "\n".join(rows)).parts()
    assert fitted.numbers == (2, 4) and held.numbers == (1, 3)
    np.testing.assert_allclose(held.scores[:, 0], [1, 3])


def test_a_table_of_mixtures_held_out_alone_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("kind,a,b\nheld_out,.5,.5\n")
    with pytest.raises(UsageError, match="there is none to fit a model to"):
        read_table(path, ["a", "b"]).parts()

"""Tables of text, written by Python's own csv and by hand."""

import csv

import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.probes.published.files import data_files
from sightline.diagnosis.probes.published.tables import columns, fields, rows
from sightline.objectives.errors import UsageError

CELLS = st.text(st.sampled_from('ab ,"\t\né'), max_size=6).map("a{}".format)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def read(path, text, name="t.csv"):
    (path / name).write_text(text, encoding="utf-8", newline="")
    (file,) = data_files(path / name).files
    return file


# A row of a table with tabs that has no letter is a line without one.
ROWS = st.tuples(CELLS, CELLS).filter(lambda row: "".join(row).strip())


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.tsv", "\t")])
@given(table=st.lists(ROWS, max_size=4))
@settings(max_examples=25, deadline=None)
def test_what_csv_writes_is_read(place, name, delimiter, table):
    path = place / name
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows([("one", "two"), *table])
    (file,) = data_files(path).files
    assert columns(file) == ("one", "two")
    found = [(row["one"], row["two"]) for _, row in rows(file)]
    # Lines that are blank are passed over, inside of a text as well.
    assert [[c.split() for c in row] for row in found] == [
        [c.split() for c in row] for row in table
    ]


def test_rows_have_the_number_of_the_line_at_which_they_begin(tmp_path):
    file = read(tmp_path, 'a,b\n\n1,"x\ny"\n2,z\n')
    assert list(rows(file)) == [
        (3, {"a": "1", "b": "x\ny"}),
        (5, {"a": "2", "b": "z"}),
    ]


def test_only_a_table_has_columns(tmp_path):
    assert columns(read(tmp_path, "a,b\n", "t.txt")) == ()
    assert columns(read(tmp_path, "a,b\tc\n", "t.tsv")) == ("a,b", "c")
    assert columns(read(tmp_path, "x" * 200_000 + "\n")) == ()


def test_fields_are_divided_by_tabs_and_trimmed(tmp_path):
    file = read(tmp_path, "a \t b c\n\n d\te\n", "t.txt")
    assert list(fields(file, count=2)) == [(1, ["a", "b c"]), (3, ["d", "e"])]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\tb\tc", r"t\.txt, line 2: 3 fields divided by tabs; this format has 2\."),
        ("a", r"line 2: 1 fields divided by tabs; this format has 2\."),
        ("a\t ", "line 2: 2 fields divided by tabs, and an empty one; this format"),
    ],
)
def test_a_line_of_other_fields_is_refused(tmp_path, line, message):
    file = read(tmp_path, f"x\ty\n{line}\n", "t.txt")
    with pytest.raises(UsageError, match=message):
        list(fields(file, count=2))

"""Reviewers' findings: what is read, and how each mistake in them is told."""

import pytest

from sightline.diagnosis.findings.complaints import (
    Complaint,
    failure_of,
    interval,
    named,
    read,
)

HEADER = "failure,count,total\n"


@pytest.fixture
def findings(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "findings.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_reads_names_long_and_short_in_any_order(findings):
    path = findings(
        "total, count ,failure\n80,12,Unfaithful Reconstruction\n\n"
        "60,0,long-form drift\r\n5,5,continuation\n",
        "utf-8-sig",
    )
    assert read(path) == (
        Complaint("drift", 0, 60),
        Complaint("continuation", 5, 5),
        Complaint("reconstruction", 12, 80),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        (HEADER, "no findings"),
        ("drift,3,10\n", ":1: no column 'drift'"),
        ("failure,count\ndrift,3\n", "misses total"),
        ("failure,count,total,total\ndrift,3,4,4\n", "twice"),
        (HEADER + "drift,three,10\n", ":2, column 'count': 'three'"),
        (HEADER + "drift,3.5,10\n", ":2, column 'count': '3.5'"),
        (HEADER + "drift,,10\n", ":2, column 'count': ''"),
        (HEADER + "drift,-1,10\n", ":2, column 'count': '-1'"),
        (HEADER + f"drift,1,{'9' * 5000}\n", ":2, column 'total': '9999"),
        (HEADER + f'"{"x" * 140_000}",1,2\n', "csv:2: field larger than field limit"),
        (HEADER + "drift,3,0\n", ":2, column 'total': 3 of 0"),
        (HEADER + "drift,11,10\n", "11 of 10"),
        (HEADER + "drift,3\n", "2 values where the header has 3"),
        (HEADER + "drift,3,1,000\n", "4 values"),
        (HEADER + "drfit,3,10\n", ":2, column 'failure': no failure 'drfit'; did you"),
        (HEADER + "\ndrift,3,10\nlong-form drift,1,9\n", ":4: 'drift' is there twice"),
    ],
)
def test_says_what_is_wrong_and_where(findings, text, told):
    with pytest.raises(ValueError) as error:
        read(findings(text))
    assert told in str(error.value)
    assert "findings.csv" in str(error.value)


def test_says_what_is_no_file_and_no_text(findings, tmp_path):
    with pytest.raises(ValueError, match="no file"):
        read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="UTF-8"):
        read(findings(HEADER + "drift,1,2\n", "utf-16"))


def test_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'reconstruction'"):
        failure_of("reconstuction", where="here")
    with pytest.raises(ValueError, match="twice"):
        named(["drift", "long-form drift"])
    assert named(["DRIFT"]) == (Complaint("drift"),)


def test_interval_covers_as_often_as_it_says():
    """Of binomial draws, each with its own interval, 95 % hold the true share."""
    from scipy.stats import binom

    total, share = 40, 0.3
    covered = 0.0
    for count in range(total + 1):
        found = interval(Complaint("drift", count, total))
        assert found is not None
        assert 0 <= found[0] <= count / total <= found[1] <= 1
        covered += binom.pmf(count, total, share) * (found[0] <= share <= found[1])
    assert 0.93 < covered < 0.97
    assert interval(Complaint("drift")) is None

"""Answers in the terminal, and how far a file of them is."""

import re

import pytest

from sightline.launch.terminal.answers import Progress, print_answer, print_drafts


def test_an_answer_is_its_text_or_its_figures(capsys):
    print_answer({"text": "the team [b]pays", "tokens": 3, "per_token": []})
    assert capsys.readouterr().out == "the team [b]pays\n"
    print_answer({"continues": 0.75, "nats": -1234567.0})
    assert capsys.readouterr().out == "continues 0.75, nats -1.23457e+06\n"


def test_a_likelihood_is_told_by_token_and_in_all(capsys):
    per_token = [("The", -1.5), (" team\n", -0.25), (".", 0.0)]
    print_answer({"per_token": per_token, "tokens": 3, "log_likelihood": -1.75})
    *tokens, total = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in tokens] == [
        ["-1.500", "'The'"],
        ["-0.250", "' team\\n'"],
        ["0.000", "'.'"],
    ]
    assert total.split(maxsplit=1) == [
        *("-1.750", "nats over 3 tokens, -0.583 a token")
    ]


def test_drafts_are_summed_over_the_answers_that_were_drafted(capsys):
    drafted = {"rounds": 600, "accepted": 900, "tokens": 1500}
    print_drafts([drafted, {"tokens": 9}, drafted])
    told = capsys.readouterr()
    assert told.out == "" and told.err == (
        "1,200 rounds of two passes, 1,800 guesses accepted: 1.50 accepted and 2.50 "
        "tokens a round\n"
    )
    print_drafts([{"rounds": 0, "accepted": 0, "tokens": 0}])  # nothing was written
    assert "0.00 tokens a round" in capsys.readouterr().err.replace("and ", "")


@pytest.mark.parametrize(("every", "lines"), [(0.0, 2), (3600.0, 0)])
def test_a_log_says_how_far_it_is_as_often_as_asked(capsys, every, lines):
    with Progress(1200, every=every) as progress:
        progress.update(8, 1000)
        progress.update(1016, 500)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == lines
    if lines:
        rows = "1,016 of 1,200 rows, 1,500 tokens, "
        assert re.fullmatch(re.escape(rows) + r"[\d,]+ tokens/s", told[-1])

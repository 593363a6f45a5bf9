"""The tables of `sightline bench` on real text."""

import io

import numpy as np
import pytest
from rich.console import Console

from sightline.launch.commands import bench
from sightline.launch.configuration import config


def settings(*bindings):
    loaded = config.load(["quickstart.gin"], bindings)
    return loaded.arguments("train", run_dir="unused", config="unused")


def test_rows_are_full_and_fuller_than_seqios():
    """The quickstart's rows, of 128 slots."""
    found = settings()
    ours, theirs = bench.packings(bench.examples(found), found["rows"])
    assert ours.filled >= 0.98
    assert ours.filled > theirs.filled
    assert ours.rows < theirs.rows


def test_an_encoder_decoders_rows_are_fuller_than_seqios():
    found = settings("train.rows=@encoder_decoder_rows()")
    ours, theirs = bench.packings(bench.examples(found), found["rows"])
    assert ours.filled > theirs.filled


def test_tables_show_medians_and_ratios():
    seconds = {"five": np.array([0.2, 0.3, 0.4]), "d.causal": np.array([0.1, 0.3, 0.2])}
    text = io.StringIO()
    Console(file=text, width=120).print(bench.step_table(seconds))
    assert "ratio to d.causal" in text.getvalue()
    assert "2.000" in text.getvalue()  # the median of 2, 1 and 2


@pytest.mark.parametrize("name", ["--round=3", "--gin-file=x"])
def test_unknown_options_are_refused(name):
    with pytest.raises(ValueError, match=r"did you mean .--(rounds|gin_file)"):
        bench.main([name, "--gin_file=quickstart.gin"])

"""`recommended.gin` gives the run that it is written of."""

import dataclasses

import pytest

from sightline.diagnosis.tuning.gin_file import gin_file
from sightline.launch.configuration.config import load
from sightline.launch.configuration.mixture import mixture_of, rows_of
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.examples.mixture import Mixture

DECODER = decoder_rows(slots=64, predictions=12)
BOTH = encoder_decoder_rows(
    slots=16, predictions=15, memory_slots=64, memory_predictions=12
)
MIXTURES = {
    "plain": Mixture(
        "plain",
        {"masked": 0.8, "permuted": 0.2},
        loss_shares={"masked": 0.3, "permuted": 0.7},
        corpora={"policies": 1},
        vocabulary="policies",
    ),
    "settings": Mixture(
        "settings",
        {"policies.x/span_corruption": 0.75, "policies.masked": 0.25},
        loss_shares={"span_corruption": 0.5, "masked": 0.5},
        settings={
            "x/span_corruption": {"mean_span": 2.0, "mode": "X"},
            "masked": {"rate": 0.3},
            "policies": {"train_documents": 60},
        },
        vocabulary="policies",
    ),
}


@pytest.mark.parametrize("rows", [DECODER, BOTH], ids=["decoder", "both"])
@pytest.mark.parametrize("name", MIXTURES)
def test_it_is_read_as_the_mixture_and_the_rows(name, rows, tmp_path):
    path, wanted = tmp_path / "recommended.gin", MIXTURES[name]
    path.write_text(gin_file(wanted, rows, ["Of a table."]))
    config = load([str(path)])
    mixture = mixture_of(config)
    assert (mixture.name, mixture.rates) == (wanted.name, wanted.rates)
    assert mixture.loss_shares == wanted.loss_shares
    assert mixture.objectives() == wanted.objectives()
    assert rows_of(config) == rows
    arguments = config.arguments("train", run_dir="x", config="")
    assert arguments["rows"] == rows and arguments["normalisation"] == "objective"
    documents = mixture.settings.get("policies", {}).get("train_documents")
    assert documents == (60 if name == "settings" else None)


def test_what_has_no_rate_is_left_out(tmp_path):
    path, plain = tmp_path / "recommended.gin", MIXTURES["plain"]
    nothing = dataclasses.replace(plain, rates={**plain.rates, "causal": 0.0})
    path.write_text(gin_file(nothing, DECODER, []))
    assert "causal" not in path.read_text()
    assert mixture_of(load([str(path)])).rates == plain.rates


def test_what_it_is_about_is_in_comments_that_fit_and_commands_stay_whole(tmp_path):
    long = "  sightline tune recommend " + " ".join(f"--option_{n}=1" for n in range(9))
    words = " ".join(["a sentence of many words"] * 9)
    text = gin_file(MIXTURES["plain"], DECODER, [words, "", long])
    comments = text.split("\n\n")[0].splitlines()
    assert f"# {long}" in comments and "#" in comments
    others = [line for line in comments if line != f"# {long}"]
    assert all(line.startswith("#") and len(line) <= 88 for line in others)
    told = " ".join(line.removeprefix("#").strip() for line in others)
    assert told.strip() == words


def test_what_is_told_stays_in_comments_and_commands_on_their_line():
    command = f"  sightline train --gin_file='{'a b ' * 40}'"
    text = gin_file(MIXTURES["plain"], DECODER, [command, "  of 'a\nfolder'"])
    assert text.startswith(f"# {command}\n#   of 'a\n# folder'\n")

"""`sightline audit`: what it prints, and its exit status."""

import json

import numpy as np
import pytest

from sightline.diagnosis.audit.audit import Verdict
from sightline.diagnosis.audit.random_tokens import RandomTokenLoss
from sightline.launch.cli import main
from sightline.launch.commands import audit
from sightline.tasks.rows import packing

pytestmark = pytest.mark.unchecked


@pytest.fixture
def no_training(monkeypatch):
    """Floors that hold, without training."""

    def held(config, objectives, shape, *, seed):
        for objective in objectives.values():
            yield RandomTokenLoss(objective.base, loss=2.1, error=0.01, chance=2.0)

    monkeypatch.setattr(audit, "random_token_losses", held)


GPT = ["audit", "--gin_file=gpt.gin"]
KEYS = {"objective", "architecture", "attention", "pairs_checked"}
KEYS |= {"leaks", "blind", "blocks"}


def test_json_of_a_mixture(no_training, capsys):
    assert main([*GPT, "--format=json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [set(verdict) for verdict in found] == [KEYS, KEYS]
    assert {v["architecture"] for v in found} == {"decoder", "encoder_decoder"}
    assert {v["objective"] for v in found} == {"causal"}
    assert all(v["leaks"] == v["blind"] == 0 < v["pairs_checked"] for v in found)


def test_what_one_stream_cannot_hold_is_audited_in_two(no_training, capsys):
    exact = "--gin.block_diffusion.form='exact'"
    words = ["audit", "--gin_file=block_diffusion.gin", exact, "--format=json"]
    assert main(words) == 0
    printed = capsys.readouterr()
    (found,) = json.loads(printed.out)
    assert found["architecture"] == "encoder_decoder"
    assert found["leaks"] == found["blind"] == 0 < found["pairs_checked"]
    assert "block_diffusion: not audited in a decoder: a noisy block" in printed.err
    assert found["blocks"] == 2


def test_borders_that_are_not_audited_are_said():
    one = Verdict("block_diffusion", "decoder", "xla", 100, 0, 0, blocks=1)
    assert audit.remarks([one._replace(blocks=2), one._replace(blocks=0)]) == []
    (line,) = audit.remarks([one])
    assert line.startswith("block_diffusion (decoder): not audited across blocks")


def test_a_leak_is_status_1_and_is_shown(no_training, capsys, monkeypatch):
    plain = packing._stream

    def from_the_row_start(*arguments):
        stream, at = plain(*arguments)
        return stream._replace(visible_from=np.zeros_like(stream.visible_from)), at

    monkeypatch.setattr(packing, "_stream", from_the_row_start)
    assert main(GPT) == 1
    assert "✗" in capsys.readouterr().out


def test_a_loss_below_chance_is_status_1(no_training, capsys, monkeypatch):
    low = RandomTokenLoss("causal", loss=0.2, error=0.01, chance=2.079)
    monkeypatch.setattr(audit, "random_token_losses", lambda *_, **__: iter([low]))
    assert main([*GPT, "--format=json"]) == 1
    said = capsys.readouterr().err
    assert "causal (decoder): on random tokens the loss fell to 0.200" in said


def test_a_run_has_its_own_config(capsys):
    assert main([*GPT, "--run_dir=runs/x"]) == 2
    assert "not both" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, message",
    [
        (["--gin.masked.rate=0.9"], "give the --gin_file with them"),
        (["--pictures=x", "--format=json"], "leave out --format"),
        (["--pictures=x", "--seed=-1"], "--seed is -1"),
    ],
)
def test_what_would_not_act_is_refused(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_pictures_are_of_the_seed(monkeypatch, capsys):
    seeds = []
    monkeypatch.setattr(
        audit, "write_pictures", lambda *_, seed, **__: seeds.append(seed) or []
    )
    assert main([*GPT, "--pictures=x"]) == main([*GPT, "--pictures=x", "--seed=3"]) == 0
    assert seeds == [audit.PICTURES_SEED, 3]

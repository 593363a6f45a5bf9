"""Mistakes in a gin file are found before anything is compiled or written."""

import pytest

from sightline.launch.training.program import Program

pytestmark = pytest.mark.unchecked

MUTATIONS = {
    "train.stesp = 3": "did you mean 'steps'",
    "trian.steps = 3": "did you mean 'train'",
    "train.steps = 1e4": "it takes int",
    "train.steps = '40'": "it takes int",
    "warmup_cosine.peak = '0.5'": "it takes float",
    "train.steps = 0": "train.steps is 0",
    "train.batch_rows = 7": "batch_rows",
    "train.model = @ModelConfg()": "did you mean 'ModelConfig'",
    "train.steps = %STEPPS": "did you mean 'STEPS'",
    "Mixture.rates = {'policies.casual': 1}": "did you mean 'policies.causal'",
    "ModelConfig.heads = 3": "kv_heads",
    "train.schedule = @warmup_cosine()": "write @warmup_cosine, without parentheses",
}


@pytest.mark.fault(5)
@pytest.mark.parametrize("line", MUTATIONS)
def test_a_mistake_is_one_message(fault, line, train, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Program, "compile_train_step", _compiled)
    path = tmp_path / "mistaken.gin"
    text = "include 'any_mixture.gin'\n"
    path.write_text(f"{text}{line}\n")
    name = line.partition(" ")[0]
    with fault() as noticed:
        assert train(tmp_path / "run", gin_file=str(path), without=name) == 2
        noticed()
        said = capsys.readouterr().err
        assert MUTATIONS[line] in said and "Traceback" not in said
    assert not (tmp_path / "run").exists()


def _compiled(program):
    raise AssertionError("compiled")

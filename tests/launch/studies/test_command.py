"""`sightline study` from end to end: stopped, gone on with, changed."""

import os
import re
import shutil

import pytest

from sightline.diagnosis.results import effects_file, records
from sightline.launch.cli import main
from sightline.launch.commands import study as study_command
from sightline.launch.studies.facts import facts
from sightline.launch.studies.workers import News

from .conftest import ADAPTED, SMALL

pytestmark = pytest.mark.unchecked

UNGATED = "study.ungated=('masked', 'permuted', 'causal')"


def words(out, bindings):
    """Five steps of these models learn nothing that a gate would let through."""
    command = ["study", "--gin_file=three_failures.gin", f"--out={out}", "--workers=1"]
    return command + [f"--gin.{binding}" for binding in (*bindings, UNGATED)]


@pytest.mark.usefixtures("one_probe")
def test_an_adaptation_is_stopped_gone_on_with_and_told(tmp_path, capsys):
    out = tmp_path / "out"
    command = words(out, ADAPTED)
    command += ["--gin.study.name='tiny'", "--gin.study.text='policies'"]
    both = "{'incumbent': 'incumbent.gin', 'revised': 'causal'}"
    command.append(f"--gin.study.mixes={both}")
    assert main([*command, "--minutes=0.00001"]) == 75
    assert not list(out.glob("records/*")) and (out / "table.md").exists()
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "tiny_100: `revised`: **not met**" in printed
    assert "1 run counts, and 2 are needed" in printed

    names = {path.name for path in out.glob("effects/*.json")}
    assert names == {"tiny_50.json", "tiny_100.json"}
    effects = effects_file.read(out / "effects" / "tiny_50.json")
    assert effects.setup.original_tokens == 12000 and effects.tokens == 6000
    assert set(effects.mixes) == {"incumbent", "revised"}
    assert effects.mixes["incumbent"].own_loss == (1.0, 1.0, 1.0)
    measured = records.read_all(out / "records")
    assert {(r.mix, r.point) for r in measured} == {
        ("base", 12000),
        *(("incumbent", n) for n in (6000, 12000)),
        *(("revised", n) for n in (6000, 12000)),
    }
    for record in measured:
        assert 0 <= record.tokens - record.point < 8 * 128
    table = (out / "table.md").read_text()
    assert "0.01 M tokens after 0.0 M (50 %)" in table and "passes" in table

    def stamps():
        files = [p for p in out.rglob("*") if "points" in str(p) or "records" in str(p)]
        return {path: os.stat(path).st_mtime_ns for path in files}

    before = stamps()
    assert main(command) == 0 and stamps() == before
    assert main([*command, "--gin.study.tokens=13000"]) == 2
    assert "holds a run of another config" in capsys.readouterr().err


@pytest.mark.usefixtures("one_probe")
def test_mixes_side_by_side_and_a_mix_whose_file_changed(tmp_path, capsys):
    mine = tmp_path / "mine.gin"
    head = "Mixture.name = 'mine'\nMixture.vocabulary = 'policies'\n"
    mine.write_text(f"{head}Mixture.rates = {{'policies.causal': 1}}\n")
    mixes = {"incumbent": "incumbent.gin", "causal": str(mine)}
    command = words(tmp_path / "out", [*SMALL, f"study.mixes={mixes}"])
    assert main(command) == 0
    table = (tmp_path / "out" / "table.md").read_text()
    assert "| `causal` | 1 |" in table
    # With what a memo asks of a file: what was trained, and of what it is named.
    (effects,) = effects_file.read_folder(tmp_path / "out" / "effects")
    assert main([*command, "--gin.study.name='renamed'"]) == 0
    (renamed,) = effects_file.read_folder(tmp_path / "out" / "effects")
    assert renamed == effects._replace(
        command=renamed.command, setup=effects.setup._replace(name="renamed")
    )
    assert effects.mixes["causal"].rates == {"causal": 1.0}

    # Other seeds and mixes may be added, and left again; what they came to stays.
    more = {**mixes, "bert": "bert.gin"}
    added = [*command, f"--gin.study.mixes={more}", "--gin.study.seeds=(0, 1)"]
    assert main([*added, "--minutes=0.00001"]) == 75
    assert main(command) == 0
    assert (tmp_path / "out" / "table.md").read_text() == table

    rates = "{'policies.causal': 9, 'policies.masked': 1}"
    mine.write_text(f"{head}Mixture.rates = {rates}\n")
    assert main(command) == 2
    printed = capsys.readouterr().err
    assert '-# mix causal [{"causal": 1' in printed and "masked" in printed


@pytest.mark.usefixtures("one_probe")
def test_what_another_measurement_trains_again_is_said(tmp_path, capsys, monkeypatch):
    alone = "study.mixes={'incumbent': 'incumbent.gin'}"
    unkept = "study.keep_checkpoints=False"
    command = words(tmp_path / "out", [*SMALL, alone, unkept])
    assert main(command) == 0
    assert "Trained again" not in capsys.readouterr().err
    assert not list(tmp_path.rglob("points/*"))
    monkeypatch.setattr(study_command, "work", lambda *_, **__: iter(()))
    changed = [*command, "--gin.study.documents=24"]
    main(changed)
    (line,) = [n for n in capsys.readouterr().err.splitlines() if "Trained" in n]
    assert line.endswith("were not kept: incumbent-0.")

    shutil.rmtree(tmp_path / "out" / "runs")
    assert main([*changed, "--gin.ModelConfig.layers=2"]) == 2
    assert "holds a run of another config" in capsys.readouterr().err


def test_a_run_that_was_stopped_is_not_shown_as_finished(tmp_path, capsys, monkeypatch):
    news = [News("incumbent-0", 3000), News("incumbent-0", None, "stopped")]
    monkeypatch.setattr(study_command, "work", lambda *_, **__: iter(news))
    alone = "study.mixes={'incumbent': 'incumbent.gin'}"
    assert main(words(tmp_path / "out", [*SMALL, alone])) == 75
    assert re.search(r"0 of 1 runs .* 50\.0 %", capsys.readouterr().err)


def test_the_folder_of_a_training_run_is_left_as_it_is(tmp_path, capsys):
    out = tmp_path / "out"
    (out / "checkpoints" / "10").mkdir(parents=True)
    (out / "config.gin").write_text("train.steps = 10\nadamw.b1 = 0.9\n")
    assert main(words(out, SMALL)) == 2
    assert "holds a run of another config" in capsys.readouterr().err
    config = (out / "config.gin").read_text()
    assert config == "train.steps = 10\nadamw.b1 = 0.9\n"


@pytest.mark.usefixtures("one_probe")
def test_what_no_run_would_count_of_is_refused_before_any(
    tmp_path, capsys, monkeypatch
):
    def untrained(*_, **__):
        raise AssertionError("a run has begun")

    monkeypatch.setattr(study_command, "work", untrained)
    recorded = words(tmp_path / "a", [*SMALL, "study.data='norows'"])
    assert main(recorded) == 2
    assert "norows" in capsys.readouterr().err

    other = tmp_path / "other" / "effects"
    other.mkdir(parents=True)
    shipped = effects_file.SHIPPED / "adaptation_small_25.json"
    (other / shipped.name).write_text(
        shipped.read_text().replace('"corpus": "policies"', '"corpus": "english"')
    )
    for more, beside, refusal in (
        (ADAPTED, tmp_path / "nosize", "nosize', which has no effects"),
        (ADAPTED, tmp_path / "other", "a study of 'english'; this one is of"),
        (SMALL, tmp_path / "other", "are drawn of adaptations"),
    ):
        given = [*more, f"study.beside=('{beside}',)"]
        assert main(words(tmp_path / "d", given)) == 2
        assert refusal in capsys.readouterr().err

    short = [*ADAPTED, "warmup_stable_decay.warmup_steps=50"]
    for number, budgets in enumerate(["(1.0,)", "(0.5, 1.0)"]):
        out = tmp_path / f"short{number}"
        assert main(words(out, [*short, f"Adaptation.budgets={budgets}"])) == 2
        refusal = r"arm incumbent, .*,000 tokens: .*warmup_steps=50"
        assert re.search(refusal, capsys.readouterr().err)

    def overlapping(study, folder, *, config):
        found = facts(study, folder, config=config)
        (name,) = found.corpora
        return found._replace(corpora={name: found.corpora[name]._replace(shared=3)})

    monkeypatch.setattr(study_command, "facts", overlapping)
    assert main(words(tmp_path / "b", SMALL)) == 2
    assert "3 documents of the validation split" in capsys.readouterr().err

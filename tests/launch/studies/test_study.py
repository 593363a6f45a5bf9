"""A study's mixes and arms: what each is trained on, from where, for how long."""

import dataclasses

import numpy as np
import pytest

from sightline.launch.cli import main
from sightline.launch.configuration.study import read_study
from sightline.launch.studies.arms import arms
from sightline.launch.studies.folder import of_training
from sightline.launch.studies.outcome import mix_identity, percent
from sightline.launch.studies.proxy_probes import failures_asked
from sightline.launch.studies.resources import StudyResources
from sightline.objectives.errors import UsageError

from .conftest import ADAPTED, SMALL, read_adapted, read_small

pytestmark = pytest.mark.unchecked

FILES = ["three_failures.gin", "python_docs.gin", "adaptation_small.gin", "modes.gin"]


@pytest.mark.parametrize("file", [*FILES, "adaptation.gin"])
def test_every_arm_of_a_shipped_study_can_be_trained(file):
    study = read_study([f"studies/{file}"], ())
    corpora = set(dict(study.corpora) or [study.corpus])
    for name, arm in arms(study, own_share=0.25).items():
        assert arm.name == name and arm.mixture.vocabulary == study.vocabulary
        tasks = arm.mixture.positive_rates()
        assert {task.partition(".")[0] for task in tasks} == corpora
        assert list(arm.measured) == sorted(arm.measured)


def test_settings_of_the_study_reach_its_mixes():
    study = read_study(["three_failures.gin"], ())
    assert all(study.mixture(m).corpus("policies").wordings == 3 for m in study.mixes)
    pairs = study.mixture("sentence_pair").objective("sentence_pair")
    assert pairs.settings["max_tokens"] == 40


def test_the_schedule_of_a_mix_is_kept():
    mixture = read_study(["modes.gin"], ()).mixture("causal_then_masked")
    first, second = mixture.phases().values()
    assert first.objective_rates() == {"causal": 1.0}
    assert second.objective_rates() == {"masked": 1.0}


def test_the_identity_of_a_mix_has_its_schedule():
    read = read_study(["modes.gin"], ()).mixture
    later = dataclasses.replace(
        read("causal_then_masked"), schedule={5: {"rates": {"masked": 1}}}
    )
    mixes = [read("causal_then_masked"), read("masked_then_causal"), later]
    assert len({mix_identity(mix) for mix in mixes}) == 3


def test_a_model_is_asked_in_the_modes_of_every_phase():
    study = read_small(
        "study.mixes={'incumbent': 'incumbent.gin', 'turns': 'antlm.gin'}"
    )
    resources = StudyResources(study, arms(study, own_share=0.25))
    params = resources.program.initial_state().params
    subject = resources.subject("turns", params)
    assert subject.trains("causal") and subject.trains("masked")
    assert not subject.trains("permuted")


@pytest.fixture(scope="module")
def adapted():
    bindings = ["study.tokens=8_000_000", "Adaptation.scratch=('equal', 'grown')"]
    return arms(read_study(["adaptation_small.gin"], bindings), own_share=0.25)


def test_branches_of_an_adaptation(adapted):
    added, left = ("+causal", "+sentence_pair", "+reconstruction"), set()
    for name, arm in adapted.items():
        if name.startswith("-"):
            left.add(name[1:])
        if name == "base" or name.startswith("revised."):
            assert arm.base is None
        else:
            assert arm.base == "base" and arm.lengths[-1] == 2_000_000
    assert left == set(adapted["revised"].mixture.objective_rates())
    assert [name for name in adapted if name.startswith("+")] and set(added) <= set(
        adapted
    )
    assert adapted["incumbent"].reference is None
    assert adapted["revised"].reference == "incumbent"
    assert adapted["revised.equal"].reference == "base"
    assert adapted["revised.equal"].lengths == (8_000_000,)
    assert adapted["revised.grown"].lengths == (32_000_000,)


def test_an_addition_has_its_revised_rate_and_the_incumbent_the_rest(adapted):
    """What revised_adapted.gin says; masked and permuted stay 4 to 1."""
    mixture = adapted["+reconstruction"].mixture
    rates, loss = mixture.objective_rates(), mixture.loss_shares
    np.testing.assert_allclose(
        [rates[n] for n in ("masked", "permuted", "reconstruction")],
        [0.8 * 0.8605, 0.2 * 0.8605, 0.1395],
    )
    np.testing.assert_allclose(
        [loss[n] for n in ("masked", "permuted", "reconstruction")],
        [0.8 * 0.9407, 0.2 * 0.9407, 0.0593],
        rtol=1e-6,
    )
    assert mixture.objective("reconstruction").settings["infill"] == 0.2


def test_an_ablation_leaves_the_others_in_proportion(adapted):
    mixture = adapted["-causal"].mixture
    rates, loss = mixture.objective_rates(), mixture.loss_shares
    np.testing.assert_allclose(rates["reconstruction"], 0.1395 / 0.5241)
    np.testing.assert_allclose(loss["reconstruction"], 0.0593 / 0.4148, rtol=1e-6)
    assert "causal" not in rates and "causal" not in loss
    np.testing.assert_allclose([sum(rates.values()), sum(loss.values())], 1)


def test_a_mix_with_nothing_of_the_incumbents_has_no_grown_budget():
    study = read_adapted("Adaptation.scratch=('grown',)")
    with pytest.raises(UsageError, match="none of the incumbent's objectives"):
        arms(study, own_share=0.0)


def test_what_is_measured_changes_no_training():
    text = (
        "study.corpus = 'english'\nstudy.probes = {\n    'a': 'b',\n}\n"
        "study.documents = 3\nstudy.tokens = 5\n"
    )
    assert of_training(text) == "study.corpus = 'english'\nstudy.tokens = 5\n"


def test_a_study_rules_out_kernels_that_add_in_any_order_in_a_folder_it_has():
    program = read_small("study.deterministic=True").program(steps=1)
    assert program.deterministic and not read_small().program(steps=1).deterministic
    assert of_training("study.tokens = 5\nstudy.deterministic = True\n") == (
        "study.tokens = 5\n"
    )


def test_files_of_effects_have_names_of_their_own():
    shipped = {0.02: "02", 0.05: "05", 0.07: "07", 0.1: "10", 0.25: "25", 1.0: "100"}
    assert {share: percent(share) for share in shipped} == shipped
    shares = np.random.default_rng(0).random(1000).tolist()
    shares += [0.5, 0.504, 0.01, 0.012, 0.001, 0.002, 1e-9]
    assert len({percent(share) for share in shares}) == len(shares)
    assert percent(0.504) == "50.4" and percent(0.001) == "0.1"


def named(name):
    """Mixes of an adaptation, one of that name."""
    return {"incumbent": "incumbent.gin", "revised": "ul2r.gin", name: "causal"}


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("study.incumbent='incumbnet'", "did you mean 'incumbent'"),
        ("study.seeds=()", "study.seeds is empty"),
        ("study.points=0", "study.points is 0"),
        ("study.mixes={'incumbent': 'causl'}", "did you mean 'causal'"),
        ("study.mixes={'incumbent': 'nothere.gin'}", "nothere.gin"),
        ("study.corpus='policys'", "did you mean 'policies'"),
        ("study.probes={'continuation': 'policys'}", "did you mean 'policies'"),
        ("study.ungated=('causl',)", "did you mean 'causal'"),
        ("study.data_workers=-1", "study.data_workers is -1"),
        ("study.seeds=0", "write (0,) for one alone"),
        ("study.published='blimp'", "write ('blimp',) for one alone"),
        ("study.beside='runs/x'", "write ('runs/x',) for one alone"),
        ("study.published=('no.tar',)", "has 'no.tar', which is not there"),
        ("study.probes={'minimal pars': 'policies'}", "mean 'minimal pairs'"),
        ("Adaptation.revised='revisd'", "did you mean 'revised'"),
        ("Adaptation.budgets=()", "Adaptation.budgets is ()"),
        ("Adaptation.budgets=(0.2, 0.1)", "ascending"),
        ("Adaptation.budgets=(0.0, 0.1)", "the base is measured anyway"),
        ("Adaptation.budgets=(1.5,)", "Adaptation.budgets"),
        ("Adaptation.budgets=(0.5, 0.50001)", "comes to 6,000 tokens of"),
        ("Adaptation.budgets=(1e-9, 0.5)", "comes to 0 tokens of"),
        ("Adaptation.scratch=('equal', 'equal')", "give each kind once"),
        ("Adaptation.revised='incumbent'", "the incumbent, which goes on anyway"),
        ("study.seeds=(0, 1, 0)", "give each seed once"),
        (f"study.mixes={named('base')}", "study.mixes has 'base'"),
        (f"study.mixes={named('+causal')}", "study.mixes has '+causal'"),
        (f"study.mixes={named('revised.equal')}", "study.mixes has 'revised.equal'"),
    ],
)
def test_a_wrong_study_is_refused_before_anything_runs(
    binding, message, tmp_path, capsys
):
    command = ["study", "--gin_file=three_failures.gin", f"--out={tmp_path / 'out'}"]
    command += [f"--gin.{given}" for given in ADAPTED]
    assert main([*command, f"--gin.{binding}"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_tuning_refuses_probes_that_there_are_not():
    study = read_small("study.probes={'minimal pars': 'policies'}")
    with pytest.raises(UsageError, match="mean 'minimal pairs'"):
        failures_asked(study)


def test_other_contents_of_published_tests_are_another_measurement(tmp_path):
    def plan():
        return read_small(f"study.published=('{tmp_path / 'tests'}',)").plan_digest()

    folder = tmp_path / "tests" / "more"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("{}")
    first = plan()
    (folder / ".note").write_text("not read")
    assert plan() == first != read_small().plan_digest()
    (folder / "a.jsonl").write_text("{} ")
    changed = plan()
    (folder / "a.jsonl").rename(folder / "b.jsonl")
    assert len({first, changed, plan()}) == 3
    (folder / "b.jsonl").rename(folder / "a.jsonl")
    (folder / "a.jsonl").write_text("{}")
    assert plan() == first


@pytest.mark.parametrize(
    ("option", "message"),
    [("--workers=0", "--workers is 0"), ("--minutes=0", "--minutes is 0")],
)
def test_wrong_options(option, message, tmp_path, capsys):
    command = ["study", "--gin_file=three_failures.gin", f"--out={tmp_path / 'out'}"]
    assert main([*command, *(f"--gin.{given}" for given in SMALL), option]) == 2
    assert message in capsys.readouterr().err

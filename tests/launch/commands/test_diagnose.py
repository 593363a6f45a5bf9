"""`sightline diagnose`: end to end, on bad input, and what it leaves behind."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from sightline.diagnosis import examination
from sightline.diagnosis.failures import registry as failures
from sightline.diagnosis.memo.memo import ADAPT, FILES
from sightline.diagnosis.results.effects import Effects
from sightline.launch.cli import main
from sightline.launch.commands import _diagnose_input, diagnose as command
from sightline.launch.configuration.config import load
from sightline.launch.configuration.mixture import mixture_of
from sightline.launch.inference import open as opening
from sightline.launch.runs.checkpoints import Checkpoints
from sightline.launch.runs.directory import RunDirectory
from sightline.launch.runs.run_identity import RunIdentity
from sightline.launch.training.mesh import MeshShape, make_mesh
from sightline.launch.training.program import Program
from sightline.tasks import user_modules
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = [pytest.mark.unchecked, pytest.mark.optimised]

GIN = """
include 'runs/any_mixture.gin'
train.steps = 2
train.batch_rows = 2
train.eval_batches = 1
ModelConfig.layers = 1
ModelConfig.d_model = 16
ModelConfig.heads = 2
ModelConfig.kv_heads = 2
ModelConfig.head_dim = 8
ModelConfig.d_hidden = 16
ModelConfig.unroll = 1
Mixture.name = 'mine'
Mixture.rates = {'policies.masked': 0.8, 'policies.permuted': 0.2}
Mixture.vocabulary = 'policies'
policies.train_documents = 60
policies.validation_documents = 24
masked.rate = 0.25
decoder_rows.slots = 96
decoder_rows.predictions = 40
"""
MIXTURE = GIN[GIN.index("Mixture") :]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`mine.gin`, a whole run; `mixture.gin`, a mixture only."""
    path = tmp_path_factory.mktemp("diagnose")
    (path / "mine.gin").write_text(GIN)
    (path / "mixture.gin").write_text(MIXTURE)
    (path / "zeros.csv").write_text("failure,count,total\ndrift,0,9\n")
    (path / "text.csv").write_text("failure,count,total\ndrift,many,9\n")
    (path / "few").mkdir()
    for number in range(3):
        (path / "few" / f"{number}.txt").write_text("A short text, by itself.\n")
    return path


def untrained(gin, path, *, step):
    """A run as `train` leaves it, at a step, without having trained."""
    config = load([str(gin)])
    told = config.arguments("train", run_dir="", config="")
    mixture = told["mixture"]
    identity = RunIdentity(config.resolved_config(), mixture.identities())
    directory = RunDirectory(path)
    directory.write_config(identity, step=0, changes=())
    program = Program(
        model=told["model"],
        vocabulary_size=vocabulary(mixture.vocabulary).size,
        rows=told["rows"],
        batch_rows=told["batch_rows"],
        transformation=told["optimizer"](told["schedule"]),
        mesh=make_mesh(MeshShape(data=-1)),
    )
    with Checkpoints(path, keep=1, period=1) as checkpoints:
        checkpoints.save(step, program.initial_state(), {})
    return path


@pytest.fixture(scope="module")
def run(folder):
    """At its first step."""
    return untrained(folder / "mine.gin", folder / "run", step=1)


@pytest.fixture
def same_day(monkeypatch):
    monkeypatch.setattr(command, "_today", lambda: "2026-01-02")


def read(out, *more):
    names = sorted((*FILES, *more))
    assert sorted(path.name for path in out.iterdir()) == names
    return {name: (out / name).read_text() for name in names}


def diagnose(*arguments):
    return main(["diagnose", *map(str, arguments)])


@pytest.fixture(scope="module")
def measured(run):
    """What is written of a run, all three failures measured."""
    out = run.parent / "measured"
    assert diagnose(run, f"--out={out}", "--documents=24") == 0
    return read(out, ADAPT)


def test_a_run_is_measured(measured):
    text = measured["memo.md"]
    for heading in ("Long-form drift", "Incoherent continuation", "Every score"):
        assert heading in text
    for probe in ("jump-ahead", "continuation, by label", "restoration", "future"):
        assert probe in text
    assert "| Step | 1 |" in text
    assert "measured in the study: mix `revised` as a whole against `incumbent`" in text
    assert "No checkpoint was measured" not in text
    assert "Wider rows or shorter documents fix this; other rates do not" in text


def test_main_scores_come_first_and_all_of_them_last(measured):
    main, appendix = measured["memo.md"].split("\n---\n")
    assert main.count("restoration, ") < 20 < appendix.count("| restoration |")
    assert len(main.split()) <= 1300  # of four failures
    assert "## Appendix: Every score" in appendix


def test_the_revision_goes_on_from_the_run_s_own_config(measured, run):
    path = run.parent / "measured" / "recommended.gin"
    config = load([str(path)])
    told = config.arguments("train", run_dir="", config="")
    assert (told["model"].d_model, told["steps"], told["batch_rows"]) == (16, 2, 2)
    assert told["rows"].decoder.slots == 96
    assert told["mixture"].settings["masked"]["rate"] == 0.25
    assert set(told["mixture"].rates) > {"policies.masked", "policies.permuted"}
    names = re.findall(r"^([\w./]+) = ", path.read_text(), re.MULTILINE)
    assert len(names) == len(set(names)), "a binding is there twice"


def test_the_run_can_be_adapted(measured, run, tmp_path, capsys):
    """At its first step, a tenth of what it has read is one step of as many rows."""
    path = run.parent / "measured" / "adapt.gin"
    config = load([str(path)])
    told = config.arguments("train", run_dir="", config="")
    assert told["start_from"] == f"{run}@1"
    assert (told["steps"], told["batch_rows"], told["seed"]) == (1, 2, 0)
    assert config.bindings.arguments("warmup_cosine", steps=1)["peak"] == 6.67e-4
    before, mixture = load([str(run / "config.gin")]), told["mixture"]
    rates = before.arguments("train", run_dir="", config="")["mixture"].rates
    unit = 1e-4  # the last digit that is written
    assert all(mixture.rates[task] > share / 3 - unit for task, share in rates.items())
    assert set(mixture.rates) > set(rates)
    assert not config.unused("train")
    names = re.findall(r"^([\w./]+) = ", path.read_text(), re.MULTILINE)
    assert len(names) == len(set(names)), "a binding is there twice"
    command = f"sightline train --gin_file={path} --run_dir=runs/adapted"
    assert command in measured["memo.md"]

    words = f"--gin_file={path}", f"--run_dir={tmp_path}"
    assert main(["train", *words, "--gin.train.batch_rows=8"]) == 0
    assert f"Starting from {run}@1" in capsys.readouterr().out


def test_an_imported_model_has_no_steps_to_take_a_share_of(
    folder, tmp_path, monkeypatch, capsys
):
    # The audit is exact, tested by itself, and slow to compile.
    monkeypatch.setattr(examination, "audit", lambda *_, **__: ())
    run = untrained(folder / "mine.gin", tmp_path / "imported", step=0)
    out, adapted = tmp_path / "memo", tmp_path / "adapted"
    ask = run, f"--out={out}", "--documents=20", "--failures=continuation"
    assert diagnose(*ask) == 0
    train = ["train", f"--gin_file={out / ADAPT}", f"--run_dir={adapted}"]
    train.append("--gin.train.batch_rows=8")
    for name in ("train.steps", "warmup_cosine.peak"):
        assert main(train) == 2
        assert f"without a default: {name}." in capsys.readouterr().err
        train.append(f"--gin.{name}=3")
    assert not adapted.exists()


def test_the_same_input_gives_the_same_files(run, tmp_path, same_day, monkeypatch):
    # The audit is exact, tested by itself, and slow to compile.
    monkeypatch.setattr(examination, "audit", lambda *_, **__: ())
    out = tmp_path / "memo"
    ask = run, f"--out={out}", "--documents=20", "--failures=continuation"
    assert diagnose(*ask) == 0
    before = read(out, ADAPT)
    assert diagnose(*ask) == 0
    assert read(out, ADAPT) == before


def test_without_a_study_rates_are_by_rule(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(command.effects_file, "shipped", lambda: (Effects(),))
    out = tmp_path / "memo"
    assert diagnose(f"--gin_file={folder / 'mixture.gin'}", f"--out={out}") == 0
    files = read(out)
    assert "are set by a rule" in files["memo.md"]
    assert "measured in the study" not in files["recommended.gin"]


def test_the_phases_of_a_schedule_become_shares(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(command.effects_file, "shipped", lambda: (Effects(),))
    gin, out = tmp_path / "phases.gin", tmp_path / "memo"
    later = "Mixture.schedule = {9: {'rates': {'policies.causal': 1.0}}}\n"
    gin.write_text(MIXTURE + later)
    assert diagnose(f"--gin_file={gin}", f"--out={out}", "--failures=continuation") == 0
    files = read(out)
    for name in ("memo.md", "recommended.gin"):
        assert "2 phases" in files[name] and "at their mean rates" in files[name]
    mixture = mixture_of(load([str(out / "recommended.gin")]))
    assert not mixture.schedule
    # The loss is that of packed batches, some of which lack an objective.
    for shares, off in ((mixture.objective_rates(), 2e-3), (mixture.loss_shares, 0.1)):
        own = [shares[name] / shares["causal"] for name in ("masked", "permuted")]
        assert own == pytest.approx([0.8, 0.2], abs=off)


def test_what_a_team_can_afford_is_kept_and_its_cost_said(folder, tmp_path, capsys):
    out = tmp_path / "memo"
    limits = "--most_new=1", "--keep=masked,permuted", "--most_cost=1.2"
    gin = f"--gin_file={folder / 'mine.gin'}", "--failures=drift,continuation"
    assert diagnose(*gin, *limits, "--without=sentence_pair", f"--out={out}") == 0
    files = read(out)
    assert "sentence_pair'" not in files["recommended.gin"]
    assert "## What the limits cost" in files["memo.md"]
    assert "| `--without=sentence_pair` | incoherent continuation" in files["memo.md"]
    assert "compared with this run" in files["memo.md"]
    assert "What the limits cost" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("--keep=causal", "the mixture has no such objective to keep"),
        ("--without=cusal", "did you mean 'causal'"),
        ("--most_new=-1", "--most_new"),
        ("--most_cost=1.1", "give a run's directory"),
    ],
)
def test_limits_are_checked_first(folder, tmp_path, capsys, limit, message):
    gin = f"--gin_file={folder / 'mixture.gin'}"
    assert diagnose(gin, limit, f"--out={tmp_path / 'memo'}") == 2
    assert message in capsys.readouterr().err


def test_without_a_checkpoint_all_failures_are_named(folder, tmp_path, capsys):
    out = tmp_path / "memo [red]"  # what rich takes for a style is told as it is
    assert diagnose(f"--gin_file={folder / 'mixture.gin'}", f"--out={out}") == 0
    said = capsys.readouterr().out
    assert f"{out / 'memo.md'}\n" in said and "Recommended shares" in said
    files = read(out)
    assert "No checkpoint was measured" in files["memo.md"]
    named = files["memo.md"].count("named | – | not counted")
    assert named == len(failures.names())
    for name in ("causal", "reconstruction"):
        assert f"{name}'" in files["recommended.gin"]
    assert "sentence_pair'" not in files["recommended.gin"]
    assert "mixes with `sentence_pair` show no gain" in files["memo.md"]
    assert "include 'runs/any_mixture.gin'" in files["recommended.gin"]


def test_reviewers_findings_are_read(folder, tmp_path):
    (tmp_path / "found.csv").write_text("failure,count,total\ndrift,12,80\n")
    out, gin = tmp_path / "memo", folder / "mixture.gin"
    found = f"--failures={tmp_path / 'found.csv'}"
    assert diagnose(f"--gin_file={gin}", found, f"--out={out}") == 0
    text = read(out)["memo.md"]
    assert "| long-form drift | 12 | 80 | 15 %" in text
    assert "## Incoherent" not in text


RAMBLING = """
import numpy as np

from sightline.diagnosis import Failure, Figure, Mean, Need, Remedy, register, score_of


def prepare(subject, material):
    lengths = np.array([len(text) % 3 for text in material.tested], float)

    def probe(tested):
        score = score_of(
            tested,
            Mean(lengths),
            np.arange(len(lengths)),
            probe="length of sentences",
            kind="all",
            metric="words too many",
            modes=[tested.mode],
            better="lower",
            chance=0.5,
        )
        return [score]

    return probe


register(
    Failure(
        name="rambling",
        title="endless rambling",
        symptom="sentences do not come to an end",
        aliases=("run-on sentences",),
        need=Need(
            traits=("onward",),
            name="text that goes on",
            by="supervised",
            unit="supervised tokens",
            little=0.2,
            use="finishing a sentence",
            modes=("prefix",),
        ),
        probes={"length of sentences": prepare},
        figures=(Figure("length of sentences", "words too many"),),
        remedies=(Remedy("prefix", "what is finished from a beginning ends."),),
        variant="short",
    )
)
"""


@pytest.fixture
def rambling(tmp_path, monkeypatch):
    """A module that registers a failure; nothing of it is left after the test."""
    failures.failures()
    monkeypatch.setattr(failures, "_FAILURES", dict(failures._FAILURES))
    for table, kind in (("_expected", list), ("_loaded", dict)):
        known = kind(getattr(user_modules, table))
        monkeypatch.setattr(user_modules, table, known)
    path = tmp_path / "rambling.py"
    path.write_text(RAMBLING)
    yield path
    sys.modules.pop("rambling", None)


def test_a_failure_of_ones_own_is_one_file(run, rambling, tmp_path, monkeypatch):
    """Named, measured, explained, acted on; and nothing else is touched."""
    monkeypatch.setattr(examination, "audit", lambda *_, **__: ())
    out, counted = tmp_path / "memo", tmp_path / "found.csv"
    counted.write_text("failure,count,total\nRun-on sentences,12,80\n")
    words = run, f"--import={rambling}", "--documents=20"
    assert diagnose(*words, f"--failures={counted}", f"--out={out}") == 0
    files = read(out, ADAPT)
    page, appendix = files["memo.md"].split("\n---\n")
    assert "- Endless rambling: in 12 of 80 reviewed texts; length of sent" in page
    assert "0 % of the Examples ask in prefix mode" in page
    assert "## Endless rambling" in page and "### Add `prefix`" in page
    assert "Hypothesis: what is finished from a beginning ends." in page
    again = f"--failures=rambling --documents=20 --import={rambling} --out=memo_after"
    assert again in page
    assert "| length of sentences | all | words too many" in appendix
    assert "add for endless rambling" in files["recommended.gin"]
    assert "'policies.prefix':" in files["recommended.gin"]
    assert "## Long-form drift" not in page

    gin = f"--gin_file={run.parent / 'mixture.gin'}", f"--import={rambling}"
    assert diagnose(*gin, "--failures=rambling", f"--out={out}") == 0
    assert "named | – | not counted" in read(out)["memo.md"]


def test_a_token_sum_drowns_labels(folder, tmp_path):
    # What the loss is of depends on the run's normalisation, so that has to be read.
    out, gin = tmp_path / "memo", tmp_path / "sum.gin"
    gin.write_text(
        GIN.replace(
            "'policies.permuted': 0.2",
            "'policies.sentence_pair': 0.2",
        )
        + "train.normalisation = 'token_sum'\n"
    )
    ask = f"--gin_file={gin}", "--failures=continuation", f"--out={out}"
    assert diagnose(*ask) == 0
    assert "4. share of the loss | found" in read(out)["memo.md"]


BAD = {
    "neither": ([], "give one of them"),
    "both": (["RUN", "--gin_file=GIN"], "give one of them"),
    "no config": (["FOLDER/few"], "holds no run"),
    "no checkpoint": (["FOLDER/unfinished"], "no checkpoint yet"),
    "bindings of a run": (["RUN", "--gin.train.steps=3"], "its own config"),
    "settings of a corpus that is not probed": (
        ["RUN", "--gin.text.folder=FOLDER/none"],
        "read the corpus 'policies', so .* change nothing; give --corpus=text too",
    ),
    "settings beside the corpus that is probed": (
        [
            "RUN",
            "--corpus=text",
            "--gin.text.folder=FOLDER/few",
            "--gin.policies.seed=1",
        ],
        "read the corpus 'text', so --gin.policies.seed=1 would change nothing",
    ),
    "text in a count": (
        ["--gin_file=GIN", "--failures=FOLDER/text.csv"],
        "text.csv:2, column 'count': 'many'",
    ),
    "nothing found": (["RUN", "--failures=FOLDER/zeros.csv"], "found none"),
    "a folder of findings": (["RUN", "--failures=FOLDER/few"], "is a folder"),
    "no findings": (["RUN", "--failures=FOLDER/none.csv"], "no file"),
    "unknown failure": (["--gin_file=GIN", "--failures=drfit"], "drift"),
    "empty failure": (["--gin_file=GIN", "--failures="], "no failure ''"),
    "unknown mode": (["RUN", "--mode=prefx"], "prefix"),
    "mode of nothing": (["--gin_file=GIN", "--mode=prefix"], "there is none"),
    "documents of nothing": (["--gin_file=GIN", "--documents=50"], "there is none"),
    "a share of nothing": (["--gin_file=GIN", "--adapt_share=0.5"], "there is none"),
    "items of no test": (["RUN", "--items=5"], "there are none: give --probe_data"),
    "a number of items": (["RUN", "--items=-5"], "--items is -5"),
    "few documents": (["RUN", "--documents=19"], "20 or more"),
    "no documents": (["RUN", "--documents=-1"], "20 or more"),
    "nothing of it": (["RUN", "--adapt_share=0"], "--adapt_share is 0.0"),
    "all kept": (["RUN", "--adapt_keep=1"], "from 0 to below 1"),
    "none kept": (["RUN", "--adapt_keep=nan"], "--adapt_keep is nan"),
    "kept of nothing": (["--gin_file=GIN", "--adapt_keep=0.5"], "there is none"),
    "negative seed": (["RUN", "--seed=-1"], "--seed is -1"),
    "unknown corpus": (["RUN", "--corpus=polices"], "policies"),
    "no folder of texts": (["RUN", "--corpus=text"], "text.folder is not set"),
    "small corpus": (
        ["RUN", "--corpus=text", "--gin.text.folder=FOLDER/few"],
        "split|20 documents",
    ),
    "no mixture": (["--gin_file=tiny.gin"], "Mixture"),
    "no gin file": (["--gin_file=incumbant.gin"], "incumbent.gin"),
    "unknown option": (["RUN", "--corpora=text"], "--corpus"),
    "other vocabulary": (["FOLDER/other"], "vocabulary 'python_docs' is not the one"),
}


@pytest.fixture
def broken(run, folder):
    """Runs with something wrong beside the sound one."""
    for name in ("unfinished", "other"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
        config = (run / "config.gin").read_text()
        if name == "other":
            config = config.replace("ary = 'policies'", "ary = 'python_docs'")
            (folder / name / "checkpoints" / "1").mkdir(parents=True)
        (folder / name / "config.gin").write_text(config)
    return folder


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_before_any_work(
    case, run, broken, tmp_path, capsys, monkeypatch
):
    for name in ("corpus_lengths", "checkpoint_scores"):
        monkeypatch.setattr(command, name, None)  # a call is an error
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    words, wanted = BAD[case]
    gin = broken / "mine.gin"
    said = {"RUN": str(run), "GIN": str(gin), "FOLDER": str(broken)}
    words = [re.sub("RUN|GIN|FOLDER", lambda m: said[m[0]], word) for word in words]
    out = tmp_path / "memo"
    assert diagnose(*words, f"--out={out}") == 2
    told = capsys.readouterr().err
    assert re.search(wanted, told), told
    assert not out.exists()


def test_a_folder_of_other_files_is_left_alone(run, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert diagnose(run, f"--out={tmp_path}") == 2
    assert "thesis.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_fault_leaves_nothing_behind(folder, tmp_path, monkeypatch, capsys):
    def faulty(*_, **__):
        raise OSError("disk")

    monkeypatch.setattr(command, "propose", faulty)
    out = tmp_path / "memo"
    ask = f"--gin_file={folder / 'mixture.gin'}", f"--out={out}"
    assert diagnose(*ask) == 1
    assert "disk" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_model_without_label_tokens_is_told(run, monkeypatch, capsys):
    # A table of fewer ids than the vocabulary, as of a model from elsewhere.
    real = opening.load_trained
    first_label = vocabulary("policies").special_ids.labels[0]

    def smaller(*arguments, **options):
        found = real(*arguments, **options)
        table = found.model.projection()[:first_label]
        monkeypatch.setattr(type(found.model), "projection", lambda self: table)
        return found

    monkeypatch.setattr(opening, "load_trained", smaller)
    out = run.parent / "unlabelled"
    assert diagnose(run, f"--out={out}", "--documents=20") == 2
    assert "label tokens" in capsys.readouterr().err
    assert not out.exists()


def test_a_run_or_its_mixture_s_own_files_start_the_revision(folder):
    whole, part = (load([str(folder / f)]) for f in ("mine.gin", "mixture.gin"))
    assert "ModelConfig.d_model = 16" in _diagnose_input._start(whole)
    assert "Mixture" not in _diagnose_input._start(whole)
    assert _diagnose_input._start(part) == "include 'runs/any_mixture.gin'"


@pytest.mark.parametrize("last", [0, 1])
def test_the_file_that_has_the_mixture_is_compared_with(folder, last):
    mine = str(folder / "mixture.gin")
    files = ["any_mixture.gin", mine] if last else [mine, "any_mixture.gin"]
    words = [*(f"--gin_file={file}" for file in files), "--out=x", "--seed=3"]
    options, bindings = command.parse_gin(command._parser(), words)
    about = _diagnose_input.read_input(options, bindings)
    assert about.gin == mine
    assert command._provenance(about, None, options, "").asked == ("--seed=3",)


def test_the_corpus_of_probes_takes_its_settings(run, folder):
    options = command._parser().parse_args([str(run), "--out=x", "--corpus=text"])
    about = _diagnose_input.read_input(options, [f"text.folder={folder / 'few'}"])
    assert about.corpus.name == "text"
    assert about.settings == (f"text.folder={folder / 'few'}",)
    assert Path(about.gin) == run / "config.gin"
    plain = command._parser().parse_args([str(run), "--out=x"])
    assert _diagnose_input.read_input(
        plain, ()
    ).corpus == about.packed_mixture.mixture.corpus("policies")

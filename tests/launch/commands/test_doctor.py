"""The doctor says what is so."""

import subprocess
import sys

from packaging.requirements import Requirement

from sightline.launch.commands import doctor
from sightline.tasks import corpora
from sightline.tasks.user_folder import user_folder


def test_every_needed_distribution_is_here():
    needed = doctor.requirements()
    assert {"jax", "flax", "matplotlib"} <= {each.name for each in needed}
    assert "pytest" not in {each.name for each in needed}  # of an extra
    for each in needed:
        assert doctor._version(each).state == "ok"


def test_what_only_text_needs_is_a_note(monkeypatch):
    declared = [
        "jax>=0.10",
        "no-such-seqio; extra == 'corpora'",
        "ruff; extra == 'dev'",
    ]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: declared)
    assert [r.name for r in doctor.requirements()] == ["jax"]
    (seqio,) = doctor.requirements(doctor.CORPORA)
    finding = doctor._version_of_text(seqio)
    assert finding.state == "note" and "not to train on recorded rows" in finding.text


def test_a_missing_distribution():
    finding = doctor._version(Requirement("no-such-distribution"))
    assert finding.state == "missing"
    assert "pip install -c constraints.txt no-such-distribution" in finding.text


def test_a_version_that_is_not_asked_for():
    finding = doctor._version(Requirement("numpy<1"))
    assert finding.state == "missing" and "<1 is needed" in finding.text


def test_the_releases_won():
    # t5 and seqio are only right together with the releases; the Makefile sees to it.
    for release, nightly in doctor.RIVALS:
        assert doctor._installed_last(release, nightly).state == "ok"


def test_shares_of_files_as_recorded():
    assert doctor.intact_share("optax") == 1.0
    assert doctor.intact_share("no-such-distribution") is None


def test_libtpu_without_a_platform_is_not_asked(monkeypatch):
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(doctor.subprocess, "run", lambda *a, **k: 1 / 0)
    finding = doctor._devices({})
    assert finding.state == "note"
    assert "JAX_PLATFORMS" in finding.text


def test_devices_that_never_come(monkeypatch):
    def hang(command, **settings):
        raise subprocess.TimeoutExpired(command, settings["timeout"])

    monkeypatch.setattr(doctor.subprocess, "run", hang)
    assert doctor._devices({"JAX_PLATFORMS": "cpu"}).state == "missing"


def test_a_backend_that_fails():
    finding = doctor._devices({"JAX_PLATFORMS": "nonsense"})
    assert finding.state == "missing"
    assert "nonsense" in finding.text


def test_corpora(tmp_path):
    assert doctor._corpora(tmp_path).state == "note"
    folder = tmp_path / "python_docs" / "cpython_3_11" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").touch()
    finding = doctor._corpora(tmp_path)
    assert finding.state == "ok"
    assert "python_docs" in finding.text


def test_text_corpora_are_listed_with_their_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    papers = tmp_path / "papers"
    papers.mkdir()
    for name in ("a.txt", "b.txt"):
        (papers / name).write_text(name)
    corpora.get("text", folder=str(papers)).documents("train")
    finding = doctor._corpora(user_folder())
    assert finding.state == "ok"
    assert f"(2 of {papers})" in finding.text
    (marker,) = (tmp_path / "data").glob("text/*/prepared.json")
    marker.write_text("{")
    assert "damaged" in doctor._corpora(user_folder()).text


def test_the_report():
    done = subprocess.run(
        [sys.executable, "-m", "sightline.launch.cli", "doctor"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("python", "orbax-checkpoint", "seqio on disk", "devices", "(cpu)"):
        assert word in done.stdout


def test_folders_are_shown_as_they_are_called(monkeypatch, capsys):
    finding = doctor.Finding("corpora", "note", "in /tmp/d[red]x[/b]")
    monkeypatch.setattr(doctor, "findings", lambda environment: [finding])
    assert doctor.main([]) == 0
    assert "/tmp/d[red]x[/b]" in capsys.readouterr().out

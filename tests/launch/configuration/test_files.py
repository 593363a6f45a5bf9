"""A gin file is data: nothing that it says runs, or opens, anything else."""

import itertools
import sys

import pytest

from sightline.launch.configuration import files
from sightline.launch.configuration.config import load
from sightline.launch.configuration.statements import read_file
from sightline.objectives.errors import UsageError


def train(*, steps: int = 1, f: object = None): ...


TABLE = {"train": train}


def read(path):
    return load([str(path)], table=TABLE, settings={})


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A module on the path that says so when it is imported."""
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    assert "evil_module" not in sys.modules


PAYLOADS = [
    "import evil_module",
    "import evil_module as os",
    "from evil_module import anything",
    "from __gin__ import dynamic_registration\nimport evil_module",
    "from __gin__ import dynamic_registration",
    "train.f = @os.system()",
    "train.f = @gin.singleton()",
    "train.f = @evil_module.run()",
    "os.system.command = 'true'",
    "train:\n  import evil_module",
    "train.f = eval('1')",
    "import evil_module\n%%",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_is_imported_or_called(tmp_path, evil, payload):
    (tmp_path / "a.gin").write_text(payload + "\n")
    with pytest.raises(ValueError, match=r"a\.gin"):
        read(tmp_path / "a.gin")


def test_no_import_through_the_command_line(evil):
    for text in ("train.steps=1\nimport evil_module", "import evil_module\na=1"):
        with pytest.raises(ValueError):
            load([], [text], table=TABLE, settings={})


def test_includes_beside_below_and_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SHIPPED", tmp_path / "shipped")
    for name in ("shipped/models/m.gin", "user/own.gin", "user/below/deep.gin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("train.steps = 7\n")
    run = tmp_path / "user" / "run.gin"
    for name in ("models/m.gin", "m.gin", "own.gin", "below/deep.gin"):
        run.write_text(f"include '{name}'\n")
        assert read(run).arguments("train") == {"steps": 7}
    monkeypatch.chdir(tmp_path / "user")
    assert read("own.gin").arguments("train") == {"steps": 7}
    assert read("m.gin").arguments("train") == {"steps": 7}


@pytest.mark.parametrize("how", ["named", "included"])
def test_a_file_in_front_of_a_shipped_one_is_told_once(
    how, tmp_path, monkeypatch, capsys
):
    own = tmp_path / "t5.gin"
    own.write_text("train.steps = 7\n")
    (tmp_path / "run.gin").write_text("include 't5.gin'\n")
    monkeypatch.chdir(tmp_path)
    note = f"note: t5.gin is {own}, not the shipped gin file of that name.\n"
    name = "t5.gin" if how == "named" else "run.gin"
    for said in (note, ""):
        assert read(name).arguments("train") == {"steps": 7}
        assert capsys.readouterr().err == said
    read(str(own))  # a whole path can mean no shipped file
    assert capsys.readouterr().err == ""


def test_shipped_files_stand_in_front_of_none(capsys):
    for name in files.shipped():
        list(read_file(files.find(name)))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["../secret.gin", "{root}/secret.gin", "link.gin"])
def test_includes_that_lead_out(tmp_path, name):
    (tmp_path / "secret.gin").write_text("password hunter2\n")
    user = tmp_path / "user"
    user.mkdir()
    (user / "link.gin").symlink_to(tmp_path / "secret.gin")
    (user / "run.gin").write_text(f"include '{name.format(root=tmp_path)}'\n")
    with pytest.raises(ValueError, match="leads out") as error:
        read(user / "run.gin")
    assert "hunter2" not in str(error.value)


def test_only_gin_files_are_included(tmp_path):
    (tmp_path / "key.txt").write_text("train.steps = 1\n")
    (tmp_path / "run.gin").write_text("include 'key.txt'\n")
    with pytest.raises(ValueError):
        read(tmp_path / "run.gin")


def test_missing_files_name_the_nearest(tmp_path):
    (tmp_path / "mine.gin").write_text("include 'mime.gin'\n")
    with pytest.raises(ValueError, match=r"mine\.gin"):
        read(tmp_path / "mine.gin")
    with pytest.raises(ValueError, match=r"no gin file 'nope\.gin'"):
        read("nope.gin")


@pytest.mark.parametrize("name", ["gin/mixtures/t5.gin", "mixtures/t6.gin"])
def test_the_nearest_of_a_path_is_that_of_its_last_part(tmp_path, name):
    (tmp_path / "mine.gin").write_text(f"include 'no/{name}'\n")
    for file in (f"no/{name}", tmp_path / "mine.gin"):
        with pytest.raises(UsageError, match=r"no gin file .* did you mean 't5\.gin'"):
            read(file)


def test_every_name_that_is_offered_is_found():
    for name in files._short(files.shipped()):
        assert files.find(name).is_relative_to(files.SHIPPED)


def test_circles_of_includes(tmp_path):
    (tmp_path / "a.gin").write_text("include 'b.gin'\n")
    (tmp_path / "b.gin").write_text("include 'a.gin'\n")
    with pytest.raises(ValueError, match=r"a.gin → b.gin → a.gin"):
        read(tmp_path / "a.gin")


@pytest.mark.parametrize("name", files.shipped())
def test_every_shipped_file_says_command_cost_and_what_to_expect(name):
    lines = (files.SHIPPED / name).read_text().splitlines()
    head = list(itertools.takewhile(lambda line: line.startswith("#"), lines))
    for word in ("Command", "Cost", "Expect"):
        assert any(line.startswith(f"# {word}: ") for line in head), word


def test_a_mixture_of_two_lines_is_a_run_after_any_mixture(tmp_path):
    """And alone it is not, which is said with the way on."""
    mine = tmp_path / "mine.gin"
    mine.write_text(
        "Mixture.name = 'mine'\nMixture.rates = {'python_docs.causal': 1}\n"
    )
    run = {"run_dir": "x", "config": ""}
    given = load(["any_mixture.gin", str(mine)]).arguments("train", **run)
    assert given["rows"].decoder.slots == 512 and given["mixture"].name == "mine"
    with pytest.raises(UsageError, match=r"Bind them with --gin_file=any_mixture\.gin"):
        load([str(mine)]).arguments("train", **run)

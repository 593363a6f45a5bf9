"""The folder of a study: what may change while it holds runs, and what may not."""

import pytest

from sightline.launch.studies.folder import of_training, prepare_folder
from sightline.objectives.errors import UsageError

CONFIG = "study.tokens = 5\nstudy.corpus = 'english'\nstudy.seeds = (0,)\n"


def prepare(folder, config=CONFIG, **identities):
    named = {"corpus text": "abc"} | {f"mix {n}": v for n, v in identities.items()}
    prepare_folder(folder, config, identities=named)
    return (folder / "config.gin").read_text()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "runs" / "a-0").mkdir(parents=True)
    (tmp_path / "config.gin").write_text(f"# corpus text abc\n# mix a 1\n{CONFIG}")
    return tmp_path


def refused(folder, *given, **identities):
    before = (folder / "config.gin").read_text()
    with pytest.raises(UsageError, match="a run of another config") as error:
        prepare(folder, *given, **identities)
    assert (folder / "config.gin").read_text() == before
    return str(error.value)


def test_a_config_may_change_until_there_are_runs(tmp_path):
    prepare(tmp_path, "study.tokens = 6\n", a="2")
    assert prepare(tmp_path, a="1") == f"# corpus text abc\n# mix a 1\n{CONFIG}"


def test_what_runs_were_trained_as_may_not_change(folder):
    assert "-study.tokens = 5\n+study.tokens = 6" in refused(
        folder, CONFIG.replace("5", "6"), a="1"
    )
    assert "-# mix a 1\n+# mix a 2" in refused(folder, a="2")
    with pytest.raises(UsageError, match="a run of another config"):
        prepare_folder(folder, CONFIG, identities={"corpus text": "abd", "mix a": "1"})
    message = refused(folder, "".join(f"a.b{n} = 1\n" for n in range(18)), a="1")
    assert "… 2 more\nResume it with its own config" in message


def test_a_vocabulary_may_lie_elsewhere_but_not_be_another(folder):
    lies = ["".join([CONFIG, f"study.vocabulary = '{n}.model'\n"]) for n in "ab"]
    head = "# corpus text abc\n# mix a 1\n# vocabulary sha256 v\n"
    (folder / "config.gin").write_text(head + lies[0])
    identities = {"corpus text": "abc", "mix a": "1", "vocabulary sha256": "v"}
    prepare_folder(folder, lies[1], identities=identities)
    with pytest.raises(UsageError, match=r"\+# vocabulary sha256 w"):
        other = {**identities, "vocabulary sha256": "w"}
        prepare_folder(folder, lies[1], identities=other)


def test_what_is_measured_and_which_runs_there_are_may_change(folder):
    config = CONFIG.replace("(0,)", "(\n    0,\n    1,\n)") + "study.documents = 3\n"
    assert prepare(folder, config, a="1").endswith(config)
    assert of_training(config) == of_training(CONFIG)


def test_mixes_come_and_go_and_come_back_as_they_were(folder):
    text = prepare(folder, b="2", a="1")
    assert "# mix b 2" in text and "# mix a 1" in text
    for identities in ({"a": "1"}, {"b": "2"}, {"c": "3"}, {"a": "1", "c": "3"}):
        text = prepare(folder, **identities)
        assert text.count("# mix a 1\n") == text.count("# mix b 2\n") == 1
    assert "-# mix b 2\n+# mix b 4" in refused(folder, a="1", b="4", c="3")


def test_runs_of_no_config_are_refused(folder):
    (folder / "config.gin").unlink()
    with pytest.raises(UsageError, match=r"holds runs/a-0 and no config\.gin"):
        prepare(folder, a="1")


@pytest.mark.parametrize("folder", ["", "gs://bucket/run"])
def test_messages_name_the_option(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--out") as error:
        prepare_folder(folder, CONFIG, identities={})
    assert "--run_dir" not in str(error.value) and not list(tmp_path.iterdir())

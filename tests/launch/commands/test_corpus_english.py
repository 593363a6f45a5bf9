"""`sightline corpus english`: fetched when asked for, and described."""

import pytest
from fake_packages import serve

from sightline.launch.cli import main
from sightline.launch.commands import corpus as command

PARTS = "--gin.english.parts=('narrative', 'manuals')"


@pytest.fixture
def registry(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return serve(tmp_path, monkeypatch)


def test_what_was_fetched_is_described(registry, capsys):
    assert command.main(["english", "--fetch", PARTS]) == 0
    out, err = capsys.readouterr()
    assert "english: 2 of 4: novel-9 from debian, about 3.0 MB" in err
    told = out.splitlines()
    lines = {line.split()[0]: line for line in told if line.strip()}
    assert "held out" in lines["whale"] and "texts 1.0" in lines["whale"]
    assert "public domain" in lines["novel"] and "576" in lines["novel"]
    assert lines["novel"].split()[-1] == "192"
    assert told[told.index(lines["novel"]) + 1].strip() == "192–192"
    assert "MIT" in lines["manual"] and " 2.0-1 " in lines["manual"]
    assert "narrative 0.00%, manuals 0.00%" in out
    assert out.count("document ") >= 3 and registry.texts["novel"][2][0][:60] in out
    calls = registry.log.read_text()
    assert command.main(["english", PARTS]) == 0
    assert registry.log.read_text() == calls


def test_a_narrow_screen_takes_no_figure_away(registry, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert command.main(["english", "--fetch", PARTS]) == 0
    sources = capsys.readouterr().out.partition("Sources of english")[2]
    assert "192–192" in sources and "576" in sources
    assert "…" not in sources.partition("lengths:")[0]


def test_what_was_not_fetched_is_one_line(registry, capsys):
    assert main(["corpus", "english", PARTS]) == 2
    err = capsys.readouterr().err
    assert "--fetch" in err and "downloads 14 MB" in err and err.count("\n") == 1
    assert not registry.log.exists()


def test_only_a_corpus_that_is_downloaded_is_fetched(capsys):
    assert main(["corpus", "policies", "--fetch"]) == 2
    assert "such as 'english'; 'policies' is not" in capsys.readouterr().err

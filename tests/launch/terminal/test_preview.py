"""Previews of made-up scenes: what is drawn of slots, runs and gaps."""

import io
import itertools
import re

import hypothesis
import hypothesis.strategies as st
from rich.console import Console

from sightline.launch.terminal import preview
from sightline.tasks.preview.scene import Interval, Prediction, Scene, Slot, Token


def printed(renderable):
    console = Console(record=True, file=io.StringIO(), width=400)
    console.print(renderable)
    return console.export_text()


def scene_of(texts, predicting):
    """A causal scene: a slot for each text, of which some predict the next one."""
    following = [*texts[1:], "end"]
    slots = tuple(
        Slot(
            "decoder",
            n,
            "targets",
            Token(text, "text"),
            position=n,
            query_position=n,
            sees=(Interval("decoder", 0, n + 1),),
            predictions=(Prediction(Token(behind, "text"), n + 1, 1.0, "causal"),)
            if n in predicting
            else (),
        )
        for n, (text, behind) in enumerate(zip(texts, following, strict=True))
    )
    return Scene("mine.causal", "Predicts what follows.", ("decoder",), slots)


WORDS = st.lists(st.text("abcxyz", min_size=1, max_size=4), min_size=1, max_size=30)


@hypothesis.given(texts=WORDS, data=st.data())
@hypothesis.settings(max_examples=40, deadline=None)
def test_the_summary_names_exactly_the_slots_that_predict(texts, data):
    predicting = data.draw(st.sets(st.integers(0, len(texts) - 1)))
    scene = scene_of(texts, predicting)
    text = printed(preview.example(scene, scene.slots[0]))
    count, size = len(predicting), len(texts)
    assert f"{count} of {size} slots" in text
    named = re.search(rf"{count} of {size} slots predicts? \(([^)]*)\)", text)
    if not 0 < count < size:
        assert named is None
        return
    assert named is not None
    ends = [run.split("–") for run in named[1].split(", ")]
    runs = [range(int(run[0]), int(run[-1]) + 1) for run in ends]
    assert [n for run in runs for n in run] == sorted(predicting)
    # Runs are as long as can be: no two of them touch.
    assert all(b.start > a.stop for a, b in itertools.pairwise(runs))


@hypothesis.given(texts=WORDS, data=st.data())
@hypothesis.settings(max_examples=40, deadline=None)
def test_a_slot_says_what_it_holds_sees_and_predicts(texts, data):
    chosen = data.draw(st.integers(0, len(texts) - 1))
    scene = scene_of(texts, {chosen})
    facts = printed(preview.facts(scene, scene.slots[chosen]))
    lines = {line[:10].strip(): line[10:].strip() for line in facts.splitlines()}
    assert f"‘{texts[chosen]}’, stands at position {chosen}" in facts
    assert lines["sees"] == (f"slots [0, {chosen + 1}): {chosen + 1} of {len(texts)}")
    assert f"at position {chosen + 1}, weight 1" in lines["predicts"]


def test_a_slot_that_predicts_nothing_says_so():
    scene = scene_of(["a", "b"], set())
    assert "nothing" in printed(preview.facts(scene, scene.slots[0]))


@hypothesis.given(texts=WORDS)
@hypothesis.settings(max_examples=30, deadline=None)
def test_markup_in_a_text_is_text(texts):
    """What rich would take for a style is shown as it stands."""
    marked = [f"[red]{text}[/]" for text in texts]
    scene = scene_of(marked, set(range(len(texts))))
    text = printed(preview.example(scene, scene.slots[-1]))
    assert all(token in text for token in marked)


def test_the_legend_shows_every_sign_that_a_preview_uses():
    legend = printed(preview.legend())
    scene = scene_of(["a", "b", "c"], {0, 1})
    shown = printed(preview.example(scene, scene.slots[1]))
    signs = set("⟨⟩▐▌░")
    assert signs & set(shown) <= set(legend)

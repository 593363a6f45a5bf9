"""The pictures of the objectives: what is drawn is what was declared and measured."""

import inspect
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from sightline.diagnosis.audit.audit import SHAPES
from sightline.diagnosis.audit.dependence import Dependence
from sightline.diagnosis.audit.picture import (
    SEED,
    pictures,
    telling_objectives,
    telling_specimen,
    write_pictures,
)
from sightline.diagnosis.audit.picture_svg import Picture, shades, svg
from sightline.objectives.registry import get, objectives

DOCS = Path(__file__).resolve().parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
NAMES = sorted(objectives())


def nothing_wrong(batch, others):
    """A measurement that gives each pair of slots a number of its own."""
    size = len(others)
    slope = 10 ** np.linspace(-3, 0, size * size, dtype=np.float32)
    return Dependence(slope.reshape(size, size), np.zeros((size, size), bool))


@pytest.fixture(scope="module")
def drawn(ids) -> dict[str, Picture]:
    found = pictures(telling_objectives(), nothing_wrong, ids)
    return {picture.name: picture for picture in found}


def filled(text: str, group: str):
    """The cells filled in a group: (row, column) to (kind, opacity), read back."""
    cells = {}
    root = ElementTree.fromstring(text)
    (found,) = [g for g in root.iter(f"{SVG}g") if g.get("id") == group]
    for path in found:
        data = path.get("d", "")
        runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", data)
        assert "".join(f"M{x} {y}h{w}v1h-{b}z" for x, y, w, b in runs) == data
        for x, y, wide, back in runs:
            assert wide == back
            for column in range(int(x), int(x) + int(wide)):
                assert (int(y), column) not in cells, "a cell is drawn twice"
                cells[int(y), column] = path.get("class"), path.get("opacity")
    return cells


def marks(text: str, name: str) -> int:
    root = ElementTree.fromstring(text)
    return sum(
        path.get("d", "").count("M")
        for path in root.iter(f"{SVG}path")
        if path.get("id") == name
    )


def as_matrix(cells, size: int):
    matrix = np.zeros((size, size), bool)
    for at in cells:
        matrix[at] = True
    return matrix


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_the_declared_matrix(drawn, name):
    picture = drawn[name]
    cells = filled(svg(picture), "declared")
    np.testing.assert_array_equal(as_matrix(cells, len(picture.holds)), picture.may)
    for (row, _), (kind, _) in cells.items():
        assert kind == ("see" if picture.asks[row] else "rest")


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_the_measured_matrix(drawn, name):
    measured = drawn[name].measured._replace(
        jacobian=np.where(drawn[name].may, drawn[name].measured.jacobian, 0)
    )
    picture = drawn[name]._replace(measured=measured)
    text = svg(picture)
    cells = filled(text, "measured")
    np.testing.assert_array_equal(as_matrix(cells, len(picture.holds)), picture.may)
    assert marks(text, "leaks") == marks(text, "blind") == 0
    order = sorted(cells, key=lambda at: -measured.jacobian[at])
    opacities = [float(cells[at][1]) for at in order]
    assert opacities == sorted(opacities, reverse=True)
    assert opacities[0] == 1


def test_leaks_and_blind_pairs_are_marked(drawn):
    picture = drawn["causal"]
    jacobian = np.where(picture.may, np.float32(1), np.float32(0))
    jacobian[0, 5] = 1e-30  # a leak, however weak
    jacobian[7, 2] = jacobian[9, 9] = 0
    silent = np.zeros_like(picture.may)
    text = svg(picture._replace(measured=Dependence(jacobian, silent)))
    assert (marks(text, "leaks"), marks(text, "blind")) == (1, 2)
    assert "1 leaks (×), 2 blind (○) of 144 pairs" in text
    cells = filled(text, "measured")
    assert (0, 5) in cells and (7, 2) not in cells
    silent[7, 2] = True  # no slope, but another token changes it
    text = svg(picture._replace(measured=Dependence(jacobian, silent)))
    assert marks(text, "blind") == 1


def test_a_shade_is_a_third_of_the_one_before():
    slope = np.array([[1, 0.34, 0.33, 0.1], [0.05, 0.03, 1e-9, 0]] * 2, np.float32)
    found = shades(Dependence(slope, np.zeros((4, 4), bool)))
    assert found[:2].tolist() == [[0, 0, 1, 2], [2, 3, 4, 4]]
    none = np.zeros((4, 4), np.float32)
    assert (shades(Dependence(none, none > 0)) == 4).all()


@pytest.mark.parametrize("architecture", SHAPES)
def test_the_slots_measured_are_those_of_the_specimen(ids, architecture):
    """A measure that finds a dependence where two slots hold the drawn tokens."""

    def measure(batch, others):
        streams = [s for s in (batch.decoder, batch.encoder) if s is not None]
        tokens = np.concatenate([np.ravel(s.tokens) for s in streams])
        pair = tokens[:, None] * np.float32(2048) + tokens[None, :] + 1
        return Dependence(pair.astype(np.float32), np.zeros(pair.shape, bool))

    found = pictures(telling_objectives(), measure, ids, architecture=architecture)
    for picture in found:
        specimen = telling_specimen(telling_objectives()[picture.name], ids, seed=SEED)
        example = specimen.example
        held = np.concatenate([example.inputs, [ids.bos], example.targets[:-1]])
        held = held[: len(picture.holds)]
        expected = held[:, None] * np.float32(2048) + held[None, :] + 1
        np.testing.assert_array_equal(picture.measured.jacobian, expected)


def test_labels_say_what_slots_hold_and_predict(drawn):
    picture = drawn["causal"]
    assert "".join(picture.holds) == "^abcdefghijk"
    assert "".join(picture.asks) == "abcdefghijkl"
    masked = drawn["masked"]
    selected = [n for n, asked in enumerate(masked.asks) if asked]
    shown = {masked.holds[n] for n in selected}
    assert {"▢", "?"} < shown and len(selected) == 4
    assert [masked.asks[n] for n in selected] == ["abcdefghijkl"[n] for n in selected]
    corrupted = drawn["span_corruption"]
    assert corrupted.asks[corrupted.inputs] == "⟨0⟩" and corrupted.asks[-1] == "$"
    assert {"PRE", "SUF", "MID"} < set(drawn["fill_in_middle"].holds)
    pair = drawn["sentence_pair"]
    assert "SEP" in pair.holds and pair.asks[-1] in "✗✓"
    assert "one label" in pair.about
    assert "permuted order" in drawn["permuted"].about
    assert "strictly the past" in drawn["causal"].about


def test_another_document_is_in_capitals(ids):
    objective = get("sentence_pair").with_settings(other=1.0, further=0.0, swapped=0.0)
    (picture,) = pictures({"sentence_pair": objective}, nothing_wrong, ids)
    cut = picture.holds.index("SEP")
    assert "".join(picture.holds[:cut]) == "abcdefghijkl"[:cut]
    assert "".join(picture.holds[cut + 1 : -1]) == "ABCDEFGHIJKL"[: 12 - cut]
    assert picture.asks[-1] == "✗"


def test_files_are_small_well_formed_and_the_same_each_time(ids, tmp_path):
    variant = get("x4/span_corruption").with_settings(mean_span=4.0, mode="X")
    named = {**telling_objectives(), variant.name: variant}
    first = write_pictures(tmp_path / "a", nothing_wrong, named, ids)
    again = write_pictures(tmp_path / "b", nothing_wrong, named, ids)
    assert first[-1].name == "x4.span_corruption.svg"
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_size < 30_000
        root = ElementTree.fromstring(one.read_text(encoding="utf-8"))
        assert root.tag == f"{SVG}svg"
    assert "mean_span=4.0, mode='X'" in first[-1].read_text(encoding="utf-8")


def test_the_docs_hold_one_picture_for_each_objective():
    pictures_there = sorted(path.stem for path in (DOCS / "pictures").iterdir())
    assert pictures_there == NAMES
    for name in NAMES:
        text = (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
        assert ">0 leaks (×), 0 blind (○) of " in text


@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_in_the_docs_are_of_today(drawn, name):
    """All but what was measured: that takes a model."""
    text = (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert filled(text, "declared") == filled(svg(drawn[name]), "declared")
    for line in (drawn[name].about, drawn[name].caption):
        assert line in text, "stale: sightline audit --pictures=docs/pictures"


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_describe_each_objective_and_setting(name):
    text = (DOCS / "objectives.md").read_text(encoding="utf-8")
    _, _, section = text.partition(f"\n## {name}\n")
    assert section, f"docs/objectives.md has no section {name!r}"
    section = section.partition("\n## ")[0]
    assert f"(pictures/{name}.svg)" in section
    parameters = inspect.signature(objectives()[name].function).parameters
    for setting in objectives()[name].settings:
        default = parameters[setting].default
        shown = f'"{default}"' if isinstance(default, str) else repr(default)
        row = f"| `{setting}` | `{shown}` |"
        assert row in section, f"{name}: {row} is not in its table of settings"

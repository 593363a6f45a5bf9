"""The notebook of docs/: its cells run, in order, and their outputs are real.

`python tests/test_notebook.py` runs them and writes their outputs into the notebook.
"""

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parent.parent / "docs" / "five_minutes.ipynb"
MOST_BYTES = 100_000


def run_cell(source: str, names: dict[str, Any]) -> tuple[str, Any]:
    """Runs a cell as a notebook does: what it prints, and its last value."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return printed.getvalue(), value


def outputs_of(printed: str, value: Any, count: int) -> list[dict[str, Any]]:
    """The outputs of a cell, in the notebook's format."""
    outputs: list[dict[str, Any]] = []
    if printed:
        text = printed.splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    if value is not None:
        drawn = hasattr(value, "_repr_svg_")
        data = (
            {"image/svg+xml": value._repr_svg_().splitlines(keepends=True)}
            if drawn
            else {"text/plain": repr(value).splitlines(keepends=True)}
        )
        kind = {"output_type": "execute_result", "execution_count": count}
        outputs.append({**kind, "data": data, "metadata": {}})
    return outputs


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.mark.unchecked
@pytest.mark.optimised
def test_its_cells_run_and_show_what_they_showed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text())
    names: dict[str, Any] = {}
    for cell in code_cells(notebook):
        source = "".join(cell["source"]).replace("STEPS = 400", "STEPS = 4")
        printed, value = run_cell(source, names)
        kinds = [output["output_type"] for output in cell["outputs"]]
        now = outputs_of(printed, value, 1)
        assert [output["output_type"] for output in now] == kinds, source
        shown = [set(o.get("data", ())) for o in cell["outputs"]]
        assert [set(o.get("data", ())) for o in now] == shown, source


def test_it_is_a_notebook_and_small():
    notebook = json.loads(NOTEBOOK.read_text())
    assert NOTEBOOK.stat().st_size < MOST_BYTES
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    assert counts == list(range(1, 1 + len(counts)))
    assert any("image/svg+xml" in o.get("data", ()) for c in code_cells(notebook)
               for o in c["outputs"])  # fmt: skip


def write() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    names: dict[str, Any] = {}
    for count, cell in enumerate(code_cells(notebook), 1):
        printed, value = run_cell("".join(cell["source"]), names)
        cell["execution_count"] = count
        cell["outputs"] = outputs_of(printed, value, count)
    text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    NOTEBOOK.write_text(text)


if __name__ == "__main__":
    write()

"""Templates become blocks, and no value is taken for a sign of them."""

import jinja2
import pytest

from sightline.diagnosis.memo import prose
from sightline.diagnosis.memo.blocks import (
    Commands,
    Figure,
    Heading,
    Items,
    Paragraph,
    Table,
)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """`made(template, **values)`: the blocks of a template in a folder of its own."""
    monkeypatch.setattr(prose, "__file__", str(tmp_path / "prose.py"))

    def make(template, **values):
        (tmp_path / "t.txt").write_text(template)
        return prose.blocks("t.txt", values)

    return make


def test_signs_tell_what_a_paragraph_is(made):
    assert made(
        "# One `a`\n\n### Three\nlines\n\nA text\n  on two lines.\n\n"
        "- first\n  goes on\n- second - not third\n\n"
        "$ do this\n$ and \\\n$  that\n\n\n   \n#no heading\n"
    ) == [
        Heading(1, "One `a`"),
        Heading(3, "Three lines"),
        Paragraph("A text on two lines."),
        Items(["first goes on", "second - not third"]),
        Commands(["do this", "and \\", " that"]),
        Paragraph("#no heading"),
    ]


def test_more_than_three_signs_are_no_heading(made):
    assert made("#### Four") == [Paragraph("#### Four")]


@pytest.mark.parametrize("value", ["# a", "- a", "$ a", "#", "## b"])
def test_a_value_that_begins_like_a_sign_is_none(value, made):
    assert made("{{ x }}", x=value) == [Paragraph(value)]
    assert made("- {{ x }}\n- {{ x }}", x=value) == [Items([value, value])]
    assert made("$ {{ x }}", x=value) == [Commands([value])]
    assert made("# {{ x }}", x=value) == [Heading(1, value)]


@pytest.mark.parametrize("value", ["a\nb", "a\n\nb", "a\n- b", "a\n\n# b"])
def test_a_value_of_several_lines_stays_in_its_block(value, made):
    assert made("It is {{ x }}.\n\nNext.", x=value) == [
        Paragraph(f"It is {value}."),
        Paragraph("Next."),
    ]
    assert made("- {{ x }}", x=value) == [Items([value])]


def test_tables_and_figures_stand_where_they_are_named(made):
    blocks = made(
        "Before.\n\n{{ table('c', head, rows, 'lr') }}\n\n"
        "{{ figure(svg, 'below') }}\n\n{{ table('d', head, [], 'lr') }}\n",
        head=("x", "y"),
        rows=[("1\n2", "# 3")],
        svg="<svg/>",
    )
    assert blocks == [
        Paragraph("Before."),
        Table("c", ("x", "y"), [("1\n2", "# 3")], "lr"),
        Figure("<svg/>", "below"),
        Table("d", ("x", "y"), [], "lr"),
    ]


def test_filters_write_figures(made):
    text = "{{ a | code }} {{ b | moved }} {{ c | number }} {{ d | percent }} {{ e }}"
    values = {"a": "x`\ny", "b": (0.1, 0.2), "c": 0.5, "d": 0.25, "e": 7}
    assert made(text, **values) == [Paragraph("`x' y` 10 % → 20 % 0.500 25 % 7")]


def test_a_value_that_is_not_given_is_an_error(made):
    with pytest.raises(jinja2.UndefinedError, match="'x' is undefined"):
        made("{{ x }}")

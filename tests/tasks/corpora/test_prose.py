"""Docstrings to paragraphs of English: the rules one by one."""

import pytest
from hypothesis import given, strategies as st

from sightline.tasks.corpora._prose import paragraphs

SENTENCE = "This one says what is meant."


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        # Code, and what introduces it, ends a block; the next block is read again.
        (f"{SENTENCE}\n>>> f(3)\nNot this one, of course.\n\n{SENTENCE}", 2),
        (f"{SENTENCE}\n    $ ls -l of the folder\n", 1),
        (f"{SENTENCE}\nTraceback (most recent call last):\n  more", 1),
        # Directives, fields and signatures part paragraphs and are no text.
        (f"{SENTENCE}\n.. note:: this is left out here.\n{SENTENCE}", 2),
        (f"{SENTENCE}\n:param x: what is left out here.\n{SENTENCE}", 2),
        (f"{SENTENCE}\n@param x what is left out here.\n{SENTENCE}", 2),
        (f"{SENTENCE}\nopen(file, mode='r') -> a file object\n{SENTENCE}", 2),
        (f"{SENTENCE}\nos.path.join(\n{SENTENCE}", 2),
        (f"{SENTENCE}\nkey -> value\n{SENTENCE}", 2),
        # A table's columns, but no wide gap between two sentences.
        (f"{SENTENCE}\nname     what the name is for\n{SENTENCE}", 2),
        (f"{SENTENCE}\nOne ends.    And one     is a column\n{SENTENCE}", 2),
        # An underline makes a title of the line above it.
        (f"A title of five whole words\n-----------\n{SENTENCE}", 1),
        (f"{SENTENCE}\n.. note:: x\nA title of five whole words\n===\n{SENTENCE}", 2),
        (f"{SENTENCE}\n\n***", 1),
    ],
)
def test_what_is_no_text_is_left_out(docstring, expected):
    assert paragraphs(docstring) == [SENTENCE] * expected


@pytest.mark.parametrize("marker", ["-", "*", "+", "•", "1.", "(12)", "3)", "[4]", "o"])
def test_items_are_paragraphs_of_their_own(marker):
    text = f"{marker} {SENTENCE}\n{marker} The second is wrapped\n  to one more line."
    expected = [SENTENCE, "The second is wrapped to one more line."]
    assert paragraphs(text) == expected


def test_wrapped_lines_are_joined():
    gap = "One sentence ends here.    Another one begins\nand goes on."
    assert paragraphs(gap) == [
        "One sentence ends here. Another one begins and goes on."
    ]
    assert paragraphs("This is a well-\nknown and low-\nLevel thing.") == [
        "This is a well-known and low- Level thing."
    ]
    tabs = "Indented\n\tby a tab, it is\n\tone paragraph."
    assert paragraphs(tabs) == ["Indented by a tab, it is one paragraph."]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Three words suffice.", True),
        ("Two words.", False),
        ("Four words without end", False),
        ("Five words without an end", True),
        ('It says "as it is."', True),
        ("It is so (as was said.)", True),
        ("it follows from the list:", True),
        ("é is no word here.", True),
        ("it was a\x07 bell then.", False),
        # Words are at least half of a sentence, and three quarters of anything else.
        ("aaa bbb ccc 12345678.", True),
        ("aaa bbb ccc 123456789.", False),
        ("aaa bbb ccc ddd eee 12345", True),
        ("aaa bbb ccc ddd eee 123456", False),
        ("f(x) g(x) h(x) are.", False),
        ("see foo.bar and foo.baz.", True),
    ],
)
def test_a_line_reads_as_english_or_not(line, kept):
    assert paragraphs(line) == [line] * kept


@given(st.text("aB .-\n:*(>é1", max_size=60))
def test_paragraphs_are_single_printable_lines_of_the_text(text):
    letters = "".join(text.split())
    for found in paragraphs(text):
        assert found.isprintable() and found == " ".join(found.split())
        assert "".join(found.split()) in letters

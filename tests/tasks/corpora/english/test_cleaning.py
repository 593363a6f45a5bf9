"""Pages to paragraphs: prose is kept, and the rest of a page is not."""

import random

import pytest
from fake_packages import paragraph, r_novels
from hypothesis import given, strategies as st

from sightline.tasks.corpora._english import html, prose, readers
from sightline.tasks.corpora._english.near_duplicates import (
    SHARE,
    SHINGLE,
    Seen,
    shingles,
)

PROSE = (
    "The first reason why a caller may avoid reclaim is that the caller cannot sleep, "
    "since it holds a lock that another process waits for."
)


def test_a_page_s_prose_is_kept_and_its_navigation_tables_and_code_are_not():
    content = f"""<html><head><title>{PROSE}</title></head>
    <body class="wy-body-for-nav">
    <nav><p>{PROSE}</p></nav><div class="sphinxsidebar"><p>{PROSE}</p></div>
    <div role="navigation"><p>{PROSE}</p></div><div id="footer"><p>{PROSE}</p></div>
    <h1>A title</h1><p>One <b>bold</b> and<br>one <code>coded</code>&nbsp;word.</p>
    <ul><li>An item <p>and its paragraph</p> and a tail<ul><li>inner</li></ul></li></ul>
    <table><tr><td>{PROSE}</td></tr></table><pre>{PROSE}</pre>
    <div class="highlight-c"><p>{PROSE}</p></div><script>{PROSE}</script>
    <section class="navel" id="toc"><p>kept</p></section></body></html>"""
    assert list(html.blocks(content.encode())) == [
        "A title",
        "One bold and",
        "one coded word.",
        "An item",
        "and its paragraph",
        "and a tail",
        "inner",
        "kept",
    ]
    assert list(html.blocks(b"")) == [] == list(html.blocks(b"<!-- nothing -->"))


def test_the_encoding_of_a_page_is_read():
    latin = '<meta charset="iso-8859-1"><p>naïve</p>'.encode("latin-1")
    assert list(html.blocks(latin)) == ["naïve"]
    assert list(html.blocks("<p>naïve “so”</p>".encode())) == ["naïve “so”"]


@pytest.mark.parametrize(
    "text",
    [
        "Too few words are in this one.",
        PROSE[:-1],
        PROSE.replace("lock", "lock = None;"),
        PROSE[:-1] + ":",
        "Next Previous Home Contents Index Search Help About Login Register News Links "
        "Download Contact Site Map.",
        "All rights reserved. " + PROSE,
        "New in version 3: " + PROSE,
        PROSE + " 12345 67890 12345 67890 12345 67890 12345 67890.",
    ],
)
def test_what_is_no_prose_is_dropped(text):
    assert prose.is_prose(PROSE)
    assert not prose.is_prose(text)


def worded(words: int, function: int) -> str:
    """A sentence of so many words, of which some are function words."""
    return " ".join(["the"] * function + ["vessel"] * (words - function)) + "."


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (worded(15, 8), True),
        (worded(14, 8), False),
        (worded(14, 8).replace(" ", "  ", 1), False),
        ("À Á " + worded(14, 8), False),  # of the alphabet's letters
        # A quarter of the words, and 88 of a hundred characters.
        (worded(40, 10), True),
        (worded(40, 9), False),
        (worded(16, 10).replace(".", "") + " " + "1234567, " + "aaaa.", True),
        (worded(16, 10).replace(".", "") + " " + "12345678901, " + "aaa.", False),
    ],
)
def test_prose_has_enough_words_function_words_and_letters(text, kept):
    assert prose.is_prose(text) == kept


def test_a_document_is_three_paragraphs_and_a_hundred_words():
    assert prose.is_document(["a " * 34, "a " * 33, "a " * 33])
    assert not prose.is_document(["a " * 33] * 3)
    assert not prose.is_document(["a " * 60] * 2)


@pytest.mark.parametrize(
    "end", ["", " [Bakunin, p. 140]", " (see below)", '"', "’)", " [a, p. 1]."]
)
def test_a_sentence_may_end_in_a_quotation_or_a_source(end):
    assert prose.is_prose(PROSE + end)
    assert not prose.is_prose(PROSE[:-1] + end.rstrip("."))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 60))
def test_an_address_is_cut_between_sentences_and_loses_nothing(lengths, words):
    text = " ".join("W" + " word" * (length - 1) + "." for length in lengths)
    parts = prose.split_sentences(text, words=words)
    assert " ".join(parts) == text
    assert all(len(part.split()) >= words for part in parts[:-1])


def test_novels_are_read_by_chapter():
    lines = (
        "TITLE\n\nBy one\n\nCHAPTER 1\n\nOne _two_\nthree.\n\nFour.\n\nVOLUME II\n\n"
    )
    lines += "Chapter 2\n\nFive.\n\nFINIS"
    content = r_novels(lines.split("\n"), ["Other", "", "CHAPTER I.", "", "Six é."])
    assert [text for _, text in readers.r_novels("x", content)] == [
        ["One two three.", "Four."],
        ["Five."],
        ["Six é."],
    ]


def test_chapters_and_addresses_are_read_whole():
    content = "A TITLE\n\nOne é\nline.\n \n“Two?”\n\n\nThree.".encode()
    assert list(readers.chapters("x", content)) == [
        ("x", ["One é line.", "“Two?”", "Three."])
    ]
    sentences = [worded(50, 9).capitalize() for _ in range(5)]
    content = "\n".join(sentences).encode()
    assert list(readers.addresses("x", content)) == [
        ("x", [" ".join(sentences[:2]), " ".join(sentences[2:4]), sentences[4]])
    ]


@pytest.mark.parametrize(
    ("pod", "text"),
    [
        ("I<one> B<two> C<three> F<four> E<gt>", "one two three four gt"),
        (
            "C<< a b >> and L<the page|page(1)> or L<perlop>",
            "a b and the page or perlop",
        ),
        ("X<index>one Z<>two B<I<nested>>", "one two nested"),
    ],
)
def test_codes_of_pod_are_read_as_what_they_show(pod, text):
    around = "The reason is that {} is what it is for all of us, and so it was then."
    content = f"  verbatim\n\n{around.format(pod)}\n\n=over\n".encode()
    expected = around.format(text)
    assert list(readers.pod("x", content)) == [("x", [expected])]


def test_pod_and_vim_lose_their_markup():
    inner = PROSE.replace("reclaim", "C<< reclaim >>").replace(
        "lock", "L<lock|lock(3)>"
    )
    text = f"=head1 NAME\n\n{inner}\n\n    {PROSE}\n\n=cut\n"
    assert list(readers.pod("x", text.encode())) == [("x", [PROSE])]
    marked = PROSE.replace("reclaim", "|reclaim|")
    text = f"*tag* A title\n\n{marked} *a-tag*\n\nExample: >\n\t{PROSE}\n<\n"
    assert list(readers.vim("x", text.encode())) == [("x", [PROSE])]


@given(st.integers(0, 10**6), st.integers(20, 60))
def test_a_paragraph_with_one_word_changed_is_a_near_duplicate(seed, length):
    rng = random.Random(seed)
    text, other = paragraph(rng, length), paragraph(rng, length)
    words = text.split()
    words[rng.randrange(length)] = "changed"
    seen = Seen(20)

    def share(text):
        return seen.share(shingles(text, SHINGLE))

    assert share(text) == 0
    seen.add(shingles(text, SHINGLE))
    assert share(text.upper()) == 1
    assert share(" ".join(words)) >= SHARE > share(other)
    assert share("too short") == 0


def test_runs_are_the_same_wherever_they_stand():
    text = "one two three four five six seven"
    both = shingles(text, 5)
    assert both.size == 3
    assert shingles("Four, five: SIX seven three-four five six", 5).size == 4
    assert set(shingles("zero two three four five six!", 5)) & set(both) == {both[1]}

"""Where reserved ids stand, and what a text id is: a word's begin, a sentence's end."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives.special_ids import LACKING, PartialIds, SpecialIds
from sightline.tasks.tokens.base_tokeniser import BaseTokeniser
from sightline.tasks.tokens.reserved import (
    KEYS,
    Reserved,
    appended,
    begins_word,
    completed,
    special_ids,
)
from sightline.tasks.tokens.vocabulary import Vocabulary


def tokeniser(*pieces: str | bytes, unk=None, **control) -> BaseTokeniser:
    """One whose pieces are these, from id 2 on; bytes are parts of a character."""
    contents = [p if isinstance(p, bytes) else p.encode() for p in pieces]
    return BaseTokeniser(
        size=2 + len(pieces),
        control={"pad": 0, "eos": 1, "bos": None} | control,
        unk=unk,
        text_ids=[n for n in range(2, 2 + len(pieces)) if n != unk],
        spell=lambda id_: p if isinstance(p := pieces[id_ - 2], str) else "",
        first_byte=lambda id_: contents[id_ - 2][0],
        encode=lambda text: [2 + pieces.index(letter) for letter in text],
        decode=lambda ids, follows: "".join(str(pieces[id_ - 2]) for id_ in ids),
        content=b"".join(contents),
    )


SCRIPTS = {
    True: (
        *("THAI", "LAO", "MYANMAR", "KHMER", "CJK UNIFIED", "CJK COMPATIBILITY IDEO"),
        *("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "FULLWIDTH LATIN"),
    ),
    False: ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HANGUL SYLLABLE", "DEVANAGARI"),
}


@pytest.mark.unchecked
def test_characters_of_scripts_without_spaces_begin_words_by_their_unicode_names():
    named = {chr(c): unicodedata.name(chr(c), "") for c in range(0x32000)}
    # Some rare letters lie outside the blocks of their scripts.
    rare = re.compile("[\u19e0-\u19ff\ua9e0-\uaaff\U0001aff0-\U0001b16f]")
    for begins, scripts in SCRIPTS.items():
        letters = [c for c, name in named.items() if name.startswith(scripts)]
        letters = [c for c in letters if not rare.match(c)]
        base = tokeniser(*letters)
        found = {letters[n - 2] for n in base.text_ids if begins_word(base, n)}
        assert found == (set(letters) if begins else set())
        assert len(letters) > 12_000


def test_a_part_of_a_character_begins_a_word_if_one_of_the_ideographs_begins_so():
    ideographs = {chr(c).encode()[0] for c in range(0x3000, 0xA000)}
    parts = [bytes([byte]) for byte in range(0x80, 0x100)]
    base = tokeniser(*parts)
    begin = {part[0] for n, part in enumerate(parts) if begins_word(base, n + 2)}
    assert begin == ideographs


PIECES = {  # a piece: whether a word begins there, a word and a sentence end there
    " it": (True, False, False),
    "it": (False, False, False),
    "it ": (False, True, False),
    "it\n": (False, True, False),
    " ": (True, False, False),
    "\n\n": (True, True, False),
    ".": (False, False, True),
    "?!": (False, False, True),
    ".)": (False, False, True),
    '!"': (False, False, True),
    "end.’”": (False, False, True),
    "。」": (True, False, True),
    "…": (False, False, True),
    ". ": (False, True, False),
    ".x": (False, False, False),
    '"': (False, False, False),
    ";": (False, False, False),
}


def test_words_and_sentences_are_told_by_the_spelling_of_a_piece():
    base = tokeniser(*PIECES)
    special = special_ids(base, appended(base))
    named = dict(enumerate(PIECES, 2))
    assert special.text.tolist() == list(named)
    for place, field in enumerate(("word_starts", "word_ends", "sentence_ends")):
        expected = {piece for piece, told in PIECES.items() if told[place]}
        assert {named[id_] for id_ in getattr(special, field).tolist()} == expected


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.sets(st.sampled_from(("pad", "eos", "bos"))),
)
def test_what_a_tokeniser_lacks_is_behind_its_ids_in_the_least_multiple(size, own):
    control = {key: n if key in own else None for n, key in enumerate(sorted(own))}
    base = tokeniser(*"x" * size)._replace(control=control)
    found = appended(base)
    assert set(found.ids) == set(KEYS) and not found.lacking
    assert {key: found.ids[key] for key in own} == {key: control[key] for key in own}
    new = {*found.ids.values(), *found.sentinels} - {control[key] for key in own}
    assert len(new) == 13 - len(own) + 100
    assert min(new) == base.size and max(new) == found.size - 1
    # The least multiple of 128 that has room for all.
    assert found.size % 128 == 0 and 0 <= found.size - base.size - len(new) < 128
    assert found.sentinels == tuple(range(found.size - 1, found.size - 101, -1))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(20, 400),
    st.dictionaries(st.sampled_from(KEYS), st.integers(0, 19)),
    st.booleans(),
)
def test_a_completed_layout_keeps_its_ids_and_lacks_nothing(size, ids, sentinels):
    few = Reserved(size, ids, tuple(range(19, 9, -1)) if sentinels else ())
    whole = completed(few)
    assert not whole.lacking and {key: whole.ids[key] for key in ids} == ids
    new = [id_ for key, id_ in whole.ids.items() if key not in ids]
    new += [] if sentinels else whole.sentinels
    assert len(set(new)) == len(new)
    assert all(size <= id_ < whole.size for id_ in new)
    if new:
        assert whole.size % 128 == 0 and 0 <= whole.size - size - len(new) < 128
    else:
        assert whole.size == size
    last = tuple(range(whole.size - 1, whole.size - 101, -1))
    assert whole.sentinels == (few.sentinels if sentinels else last)


def test_what_a_model_s_vocabulary_lacks_is_told_and_no_id_of_it_is_text():
    base = tokeniser("a", "b", "c", "d")
    partial = Reserved(10, {"eos": 1, "mask": 3, "mode_S": 9}, (5,), layout="its own")
    special = special_ids(base, partial)
    assert isinstance(special, PartialIds)
    assert (special.pad, special.eos, special.mask) == (0, 1, 3)
    assert special.modes == (9,)
    lacking = {"bos": LACKING, "sep": LACKING, "labels": (), "fill": ()}
    assert lacking.items() <= special._asdict().items()
    assert special.text.tolist() == [2, 4]
    assert "sentinels" not in partial.lacking
    assert partial._replace(sentinels=()).lacking[-1] == "sentinels"
    assert type(special_ids(base, partial._replace(layout=""))) is SpecialIds


@pytest.mark.parametrize(("unk", "written"), [(None, 2), (4, 4)])
def test_text_that_spells_a_reserved_id_is_unknown_or_the_first_of_text(unk, written):
    base = tokeniser("a", "b", "?", "d", unk=unk)
    vocab = Vocabulary("own", base, Reserved(8, {"pad": 0, "mask": 3}, (5,), "own"))
    assert vocab.encode("abda").tolist() == [2, written, written, 2]
    assert vocab.encode("abda").dtype == np.int32


def test_every_part_of_a_layout_tells_vocabularies_apart():
    base = tokeniser("a", "b")
    layouts = [Reserved(9, {"pad": 0}, (8,), f"layout {n}") for n in range(2)]
    digests = {
        Vocabulary("own", base).digest,
        Vocabulary("own", base._replace(content=b"other")).digest,
        *(Vocabulary("own", base, layout).digest for layout in layouts),
        Vocabulary("own", base, appended(base)._replace(size=256)).digest,
        Vocabulary("own", base, completed(Reserved(128, {}, ()))).digest,
    }
    assert len(digests) == 6
    assert Vocabulary("another name", base).digest in digests

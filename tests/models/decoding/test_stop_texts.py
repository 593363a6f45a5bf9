"""Texts that end a generation: a toy vocabulary whose tokens cut them anywhere."""

import itertools

import numpy as np
import pytest

from sightline.models.decoding.stop_texts import UNFINISHED, StopTexts

PIECES = ["", "a", "b", "ab", "ba", " a", "\n", "\n\n", "b\n", b"\xc3", b"\xa9", "c"]


def decode(tokens) -> str:
    pieces = (PIECES[token] for token in tokens)
    whole = b"".join(p if isinstance(p, bytes) else p.encode() for p in pieces)
    return whole.decode(errors="replace")


def ints(*tokens):
    return np.array(tokens, np.int32)


def texts(stops, *before):
    return StopTexts(decode, stops, before=list(before) or [ints()])


def test_a_stop_text_that_crosses_tokens_ends_the_row():
    stop = texts(["b\na"])
    assert stop(0, ints(1, 8)) is None
    assert stop(0, ints(1, 8, 4)) is None  # a b\n ba
    stop = texts(["b\na"])
    assert stop(0, ints(1, 8, 3, 11)) == 3  # a b\n ab
    assert stop.cut(0, ints(1, 8, 3)) == (3, "a")


def test_it_is_found_whenever_one_asks():
    """Asked after every token, or after several at once: the same cut."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        tokens = rng.integers(1, 12, 14).astype(np.int32)
        stops = ["ab", "b\n", "é", "aa"][: rng.integers(1, 5)]
        cuts = set()
        for step in (1, 3, 14):
            stop, kept = texts(stops), None
            for size in [*range(step, 14, step), 14]:
                kept = stop(0, tokens[:size])
                if kept is not None:
                    break
            cuts.add(stop.cut(0, tokens[: kept or 14]))
        assert len(cuts) == 1
        (cut,) = cuts
        whole = decode(tokens)
        places = [whole.find(stop) for stop in stops if stop in whole]
        assert not any(stop in cut.text for stop in stops)
        if not places:
            assert cut == (14, whole)
        else:
            assert whole.startswith(cut.text)
            fewer = decode(tokens[: cut.tokens - 1])
            assert not any(stop in fewer for stop in stops)


def test_what_is_given_does_not_count():
    stop = texts(["ab"], ints(3, 1), ints(11))
    assert stop(0, ints(11)) is None  # ab a | c
    assert stop(0, ints(2, 11)) is None  # a | b: it began in what was given
    assert stop(1, ints(3)) == 1
    assert stop.cut(1, ints(3)) == (1, "")


def test_a_character_that_the_given_text_left_unfinished_counts():
    stop = texts(["é"], ints(1, 9))
    assert decode(ints(1, 9)) == "a" + UNFINISHED
    assert stop(0, ints(10)) == 1


def test_settled_text_only_grows_and_is_never_taken_back():
    rng = np.random.default_rng(1)
    for _ in range(60):
        tokens = rng.integers(1, 12, 14).astype(np.int32)
        stop, shown, kept = texts(["b\n\n", "aba"]), "", None
        for size in range(1, 15):
            kept = stop(0, tokens[:size])
            settled = stop.settled(0, tokens[: kept or size])
            assert settled.startswith(shown)
            shown = settled
            if kept is not None:
                break
        final = stop.cut(0, tokens[: kept or 14]).text
        assert final.startswith(shown)
        if kept is not None:
            assert shown == final


def test_settled_text_holds_back_the_beginning_of_a_stop_text():
    stop = texts(["b\n\n"])
    assert stop.settled(0, ints(1, 2)) == "a"
    assert stop.settled(0, ints(1, 8)) == "a"
    assert stop.settled(0, ints(1, 8, 11)) == "ab\nc"
    assert stop.settled(0, ints(1, 9)) == "a"  # an unfinished character
    assert stop.settled(0, ints(1, 8, 6)) == "a"


def test_no_stop_texts_end_nothing():
    stop = texts([])
    for tokens in itertools.product((1, 2), repeat=3):
        assert stop(0, ints(*tokens)) is None
        assert stop.settled(0, ints(*tokens)) == decode(tokens)


def test_an_empty_stop_text_is_refused():
    with pytest.raises(ValueError, match="a stop text is empty"):
        texts(["a", ""])

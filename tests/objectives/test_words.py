"""Where words and sentences begin, against the definition read slowly."""

import numpy as np

from sightline.objectives.words import sentence_begins, word_begins


def test_begins_are_those_of_the_definition(make_text, ids):
    tokens = make_text(500).tokens[:-1]
    starts, ends = set(ids.word_starts.tolist()), set(ids.sentence_ends.tolist())
    words, sentences = word_begins(tokens, ids), sentence_begins(tokens, ids)
    assert words[0] and sentences[0]
    for at in range(1, len(tokens)):
        assert words[at] == (tokens[at] in starts)
        assert sentences[at] == (tokens[at - 1] in ends and tokens[at] in starts)
    assert 5 < sentences.sum() < words.sum() < len(tokens)


def test_a_vocabulary_may_have_neither(make_text, ids):
    none = np.zeros(0, np.int32)
    bare = ids._replace(word_starts=none, sentence_ends=none)
    tokens = make_text(20).tokens
    assert word_begins(tokens, bare).sum() == sentence_begins(tokens, bare).sum() == 1
    assert word_begins(tokens[:0], ids).size == 0

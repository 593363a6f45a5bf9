"""A vocabulary as SeqIO sees it."""

import numpy as np
import pytest
import seqio
import tensorflow as tf

from sightline.tasks.seqio_tasks.evaluator import TextOnly
from sightline.tasks.seqio_tasks.vocabulary import SeqioVocabulary
from sightline.tasks.tokens.reserved import appended
from sightline.tasks.tokens.vocabulary import Vocabulary, vocabulary

TEXTS = ["naïve 東京.", "", "Two words"]


@pytest.fixture(params=["bytes", "python_docs"])
def words(request):
    return SeqioVocabulary(vocabulary(request.param))


def test_ids_are_those_of_the_vocabulary_and_sentinels_come_last(words):
    own = words.vocabulary
    special = own.special_ids
    assert (words.pad_id, words.bos_id, words.eos_id) == (
        *(special.pad, special.bos, special.eos),
    )
    assert words.unk_id == own.unk and words.vocab_size == own.size
    # As T5's: sentinel 0 is the last id.
    assert own.size - words.extra_ids == min(special.sentinels)
    assert special.sentinels[0] == words.vocab_size - 1


def test_tensors_are_encoded_and_decoded_as_text_is(words):
    data = tf.data.Dataset.from_tensor_slices(TEXTS).map(words.encode_tf)
    found = [ids.tolist() for ids in data.as_numpy_iterator()]
    assert found == [words.encode(text) for text in TEXTS]
    assert data.element_spec.shape.rank == 1 and data.element_spec.dtype == tf.int32
    ids = np.array([[*words.encode("Some text"), words.eos_id, 5]] * 6)
    decoded = words.decode_tf(tf.constant(ids.reshape(2, 3, -1), tf.int32))
    assert decoded.shape == (2, 3)
    assert {text.decode() for text in decoded.numpy().ravel()} == {"Some text<eos>"}


def test_vocabularies_are_equal_whose_ids_mean_the_same():
    one, again = (SeqioVocabulary(vocabulary("bytes")) for _ in range(2))
    assert one == again and hash(one) == hash(again)
    base = vocabulary("bytes").base
    wider = Vocabulary("bytes", base, appended(base)._replace(size=512))
    for other in (SeqioVocabulary(wider), seqio.ByteVocabulary(), "bytes"):
        assert one != other


def test_text_alone_ends_at_the_first_eos_or_padding():
    words = TextOnly(vocabulary("bytes"))
    text = words.encode("ab")
    mask = words.vocabulary.special_ids.mask
    for end in (words.eos_id, words.pad_id):
        assert words.decode([mask, *text, mask, *text, end, *text]) == "abab"
    assert words.decode([words.eos_id, *text]) == words.decode([]) == ""
    rows = tf.constant([[*text, words.eos_id], [mask, *text]])
    assert words.decode_tf(rows).numpy().tolist() == [b"ab", b"ab"]

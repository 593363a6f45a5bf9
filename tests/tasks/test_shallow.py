import math

import pytest

from sightline.tasks.shallow.ngram import Ngrams


def test_ngrams_are_a_distribution_and_find_a_collocation():
    language = Ngrams([list("abcabcabd"), list("bca")])
    for before in ("", "a", "ab", "cab", "zz"):
        total = sum(
            math.exp(language.log_probability([word], list(before))) for word in "abcd"
        )
        rest = math.exp(language.log_probability(["never seen"], list(before)))
        assert total + rest == pytest.approx(1)
    likely = language.log_probability(["c"], list("ab"))
    assert likely > language.log_probability(["d"], list("ab"))

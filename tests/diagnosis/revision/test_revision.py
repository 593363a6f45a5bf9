"""Shares as they are written down."""

import pytest
from hypothesis import given, strategies as st

from sightline.diagnosis.revision.revision import DIGITS, rounded


@given(st.dictionaries(st.text(min_size=1), st.floats(1e-9, 1.0), min_size=1))
def test_shares_are_rounded_by_less_than_a_unit(shares):
    """So what is to be kept is kept to the last digit that is written."""
    total = sum(shares.values())
    written = rounded(shares)
    assert sum(written.values()) == pytest.approx(1.0, abs=1e-7)
    for name, share in shares.items():
        assert 0 < written[name]
        assert abs(written[name] - share / total) < 10**-DIGITS * 1.1

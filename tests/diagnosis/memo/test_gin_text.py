"""Commands in the comments of a gin file are run as they are copied."""

import shlex

import pytest
from hypothesis import given, strategies as st

from sightline.diagnosis.memo import adapt_text, gin_text

pytestmark = pytest.mark.unchecked

HEADS = {
    "recommended": gin_text._HEAD,
    "adapt": adapt_text._HEAD,
}
WORDS = {
    **dict.fromkeys(("name", "whose", "run", "length", "kept", "peak"), "a word"),
    "options": "",
    "imports": "",
}
paths = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=150
)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@given(path=paths)
def test_a_command_is_one_of_the_shell_whatever_the_path(head, path):
    text = head.format(path=shlex.quote(path), **WORDS)
    lines = [line.removeprefix("#") for line in gin_text._comment(text)]
    (first,) = [n for n, line in enumerate(lines) if "sightline train" in line][:1]
    words = shlex.split(f"{lines[first]}\n{lines[first + 1]}")
    assert words[:2] == ["sightline", "train"]
    assert words[2] == f"--gin_file={path}"

"""Records of figures as JSON."""

import json

from sightline.launch.terminal.json_text import json_text


def test_what_json_cannot_hold_is_null_however_deep():
    record = {"a": [{"b": float("nan")}, (float("-inf"), 1.5)], "c": True, "d": None}
    expected = {"a": [{"b": None}, [None, 1.5]], "c": True, "d": None}
    assert json.loads(json_text(record, indent=1)) == expected

"""How often instructions run, in programs that are written out."""

import pytest

from sightline.launch.pods.plan.hlo_text import Frame, parse
from sightline.launch.pods.plan.loops import places, role_of

TABLES = """FileNames
1 "models/stack.py"

FunctionNames
1 "<module>"
2 "scan_stateful.<locals>.step"
3 "Layer.__call__"
4 "vocabulary_loss"
5 "mine.<locals>.body"

FileLocations
1 {file_name_id=1 function_name_id=1 line=1}
2 {file_name_id=1 function_name_id=2 line=20}
3 {file_name_id=1 function_name_id=3 line=30}
4 {file_name_id=1 function_name_id=4 line=40}
5 {file_name_id=1 function_name_id=5 line=50}

StackFrames
1 {file_location_id=1 parent_frame_id=1}
2 {file_location_id=2 parent_frame_id=2}
3 {file_location_id=3 parent_frame_id=3}
4 {file_location_id=4 parent_frame_id=2}
5 {file_location_id=5 parent_frame_id=2}
"""
"""Frames: 1 the module, 2 layers of it, 3 a layer in these, 4 the loss, 5 any other."""

STEP = "%next = s32[] add(%n, %by)"
LESS = "ROOT %less = pred[] compare(%m, %end), direction=LT"


def loop(*, body=STEP, less=LESS, start="%start", more="", frame="", inside=""):
    """A loop that counts from 2 up to 12 by 3, or what is made of it."""
    at = f", metadata={{stack_frame_id={frame}}}" if frame else ""
    return parse(
        f"""HloModule m
{TABLES}
{more}
%body (p: (s32[], f32[8])) -> (s32[], f32[8]) {{
  %p = (s32[], f32[8]) parameter(0)
  %n = s32[] get-tuple-element(%p), index=0
  %x = f32[8] get-tuple-element(%p), index=1
  %by = s32[] constant(3)
  {body}
  %y = f32[8] negate(%x){inside}
  ROOT %out = (s32[], f32[8]) tuple(%next, %y)
}}

%cond (q: (s32[], f32[8])) -> pred[] {{
  %q = (s32[], f32[8]) parameter(0)
  %m = s32[] get-tuple-element(%q), index=0
  %end = s32[] constant(12)
  {less}
}}

ENTRY %main (a: f32[8], k: s32[]) -> f32[8] {{
  %a = f32[8] parameter(0)
  %k = s32[] parameter(1)
  %start = s32[] constant(2)
  %t = (s32[], f32[8]) tuple({start}, %a)
  ROOT %w = (s32[], f32[8]) while(%t), condition=%cond, body=%body{at}
}}
"""
    )


def runs(module):
    return {place.instruction.name: place.runs for place in places(module)}


def only_loop(module):
    (found,) = {place.loops for place in places(module) if place.loops}
    (one,) = found
    return one


INNER = """%inner (c: s32[], d: s32[]) -> KIND {
  %c = s32[] parameter(0)
  %d = s32[] parameter(1)
  ROOT %r = KIND OF
}
"""


@pytest.mark.parametrize(
    ("changes", "trips"),
    [
        ({}, 4),  # 2, 5, 8, 11
        ({"body": "%next = s32[] add(%by, %n)"}, 4),
        ({"body": "%c = s32[] copy(%n)\n  %next = s32[] add(%c, %by)"}, 4),
        ({"less": LESS.replace("LT", "LE")}, 4),
        (
            {
                "less": "ROOT %f = pred[] fusion(%m, %end), kind=kLoop, calls=%inner",
                "more": INNER.replace("KIND", "pred[]").replace(
                    "OF", "compare(%c, %d), direction=LT"
                ),
            },
            4,
        ),
        (
            {
                "body": "%next = s32[] call(%by, %n), to_apply=%inner",
                "more": INNER.replace("KIND", "s32[]").replace("OF", "add(%d, %c)"),
            },
            4,
        ),
        # None at all, where it begins behind its end.
        ({"less": "%e = s32[] constant(2)\n  " + LESS.replace("%end", "%e")}, 0),
        # What is not counted: another direction, counter, step, start or end.
        ({"less": LESS.replace("LT", "GT")}, None),
        ({"less": "ROOT %less = pred[] compare(%end, %m), direction=LT"}, None),
        ({"less": "ROOT %less = pred[] constant(true)"}, None),
        ({"less": "ROOT %less = pred[] compare(%m, %m), direction=LT"}, None),
        ({"body": "%no = s32[] constant(0)\n  " + STEP.replace("%by", "%no")}, None),
        ({"body": "%next = s32[] subtract(%n, %by)"}, None),
        ({"body": "%next = s32[] add(%by, %by)"}, None),
        ({"body": "%next = s32[] add(%n, %n)"}, None),
        ({"body": STEP.replace("%by", "%minus") + "\n"}, None),
        ({"start": "%k"}, None),
    ],
)
def test_trips_of_a_loop_that_counts(changes, trips):
    if "%minus" in changes.get("body", ""):
        minus = "%minus = s32[] constant(-3)\n  "
        changes = {"body": minus + changes["body"]}
    module = loop(**changes)
    assert only_loop(module).trips == trips
    assert runs(module)["y"] == (1 if trips is None else trips)
    assert runs(module)["w"] == 1


def test_trips_that_xla_states_are_believed_and_a_counter_may_stand_anywhere():
    text = """HloModule m

%body (p: (f32[8], s32[])) -> (f32[8], s32[]) {
  %p = (f32[8], s32[]) parameter(0)
  %x = f32[8] get-tuple-element(%p), index=0
  %n = s32[] get-tuple-element(%p), index=1
  %by = s32[] constant(1)
  %next = s32[] add(%n, %by)
  ROOT %out = (f32[8], s32[]) tuple(%x, %next)
}

%cond (q: (f32[8], s32[])) -> pred[] {
  %q = (f32[8], s32[]) parameter(0)
  %m = s32[] get-tuple-element(%q), index=1
  %end = s32[] constant(5)
  ROOT %less = pred[] compare(%m, %end), direction=LT
}

ENTRY %main (a: f32[8]) -> f32[8] {
  %a = f32[8] parameter(0)
  %start = s32[] constant(2)
  %t = (f32[8], s32[]) tuple(%a, %start)
  ROOT %w = (f32[8], s32[]) while(%t), condition=%cond, body=%body, STATED
}
"""
    stated = 'backend_config={"known_trip_count":{"n":"9"}}'
    assert only_loop(parse(text.replace("STATED", stated))).trips == 9
    assert only_loop(parse(text.replace(", STATED", ""))).trips == 3


@pytest.mark.parametrize(
    ("frame", "inside", "role"),
    [
        ("2", "", "layers"),
        ("3", "", "layers"),  # the innermost that is known, outside of its own function
        ("4", "", "loss chunks"),
        ("5", "", "mine"),  # the function that made it
        ("", "", "a loop"),
        # By what it runs, where the loop has no source.
        ("", ", metadata={stack_frame_id=4}", "loss chunks"),
        ("", ", metadata={stack_frame_id=5}", "a loop"),
    ],
)
def test_a_loop_is_named_by_its_source_or_by_what_it_runs(frame, inside, role):
    assert only_loop(loop(frame=frame, inside=inside)).role == role


def test_a_loop_without_source_is_what_most_of_it_is():
    body = f"{STEP}, metadata={{stack_frame_id=4}}\n  "
    body += "\n  ".join(
        f"%z{n} = f32[8] negate(%x), metadata={{stack_frame_id=3}}" for n in range(2)
    )
    assert only_loop(loop(body=body)).role == "layers"


def test_the_innermost_function_that_is_known_says_what_runs():
    stack = [Frame("f", name, 1) for name in ("any", "_accumulate", "scan_stateful")]
    assert role_of(stack) == "microbatches"
    assert role_of(stack[::-1]) == "layers"
    assert role_of([Frame("f", "vocabulary_loss.<locals>.chunk", 1)]) == "loss chunks"
    assert role_of(stack[:1]) is None


BRANCHES = """%one (p: f32[8]) -> f32[8] {
  %p = f32[8] parameter(0)
  ROOT %x = f32[8] negate(%p)
}

%two (q: f32[8]) -> f32[8] {
  %q = f32[8] parameter(0)
  ROOT %y = f32[8] exponential(%q)
}

%sum (s: f32[], t: f32[]) -> f32[] {
  %s = f32[] parameter(0)
  %t = f32[] parameter(1)
  ROOT %z = f32[] add(%s, %t)
}
"""


@pytest.mark.parametrize(
    ("line", "inner"),
    [
        ("call(%a), to_apply=%one", "x"),
        ("async-start(%a), calls=%one", "x"),
        ("conditional(%k, %a, %a), branch_computations={%one, %two}", "xy"),
        (
            "conditional(%k, %a, %a), true_computation=%one, false_computation=%two",
            "xy",
        ),
        ("fusion(%a), kind=kLoop, calls=%one", ""),
        ("reduce(%a, %k), dimensions={0}, to_apply=%sum", ""),
        ("async-done(%a), calls=%one", ""),
    ],
)
def test_what_an_instruction_runs_where_it_stands(line, inner):
    """Every branch counts; what a fusion or a reduction computes inside does not."""
    module = parse(
        f"HloModule m\n\n{BRANCHES}\nENTRY %main (a: f32[8], k: s32[]) -> f32[8] {{\n"
        f"  %a = f32[8] parameter(0)\n  %k = s32[] parameter(1)\n"
        f"  ROOT %made = f32[8] {line}\n}}\n"
    )
    assert {name for name in runs(module) if name in "xyz"} == set(inner)
    assert set(runs(module).values()) == {1}

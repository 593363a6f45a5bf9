"""Standard output that breaks: what was said until then stays, and the run goes on."""

import io
import os
import subprocess
import sys

import pytest

from sightline.launch.terminal.output import SurvivingOutput, discard


class Full(io.StringIO):
    """A stream on a disk with room for so many characters."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, text):
        if self.tell() + len(text) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_what_fits_is_written_and_the_loss_is_told_once():
    stream, errors = Full(6), io.StringIO()
    output = SurvivingOutput(stream, errors=errors)
    assert [output.write(text) for text in ("one\n", "a line\n", "b")] == [4, 7, 1]
    output.flush()
    assert stream.getvalue() == "one\n"  # not "b", out of its place
    (line,) = errors.getvalue().splitlines()
    assert line.startswith("sightline: standard output is lost (No space left on")


@pytest.mark.parametrize("call", [lambda o: o.write("x"), lambda o: o.flush()])
def test_a_closed_stream_is_lost_and_no_terminal(call):
    errors = io.StringIO()
    with open(os.devnull, "w") as stream:
        output = SurvivingOutput(stream, errors=errors)
    assert not output.isatty()
    call(output)
    call(output)
    assert errors.getvalue().count("lost (I/O operation on closed file") == 1


def test_nobody_is_left_to_tell():
    stream = io.StringIO()
    stream.close()
    output = SurvivingOutput(stream, errors=stream)
    assert output.write("x") == 1


def test_a_working_stream_is_passed_on():
    leader, follower = os.openpty()
    with open(follower, "w", encoding="latin-1") as stream:
        output = SurvivingOutput(stream, errors=io.StringIO())
        assert output.isatty() and output.fileno() == follower
        assert output.encoding == "latin-1"
        output.write("said")
        output.flush()
        assert os.read(leader, 10) == b"said"
    os.close(leader)


def test_a_stream_without_a_descriptor_is_left_alone():
    stream = io.StringIO("kept")
    discard(stream)
    assert stream.getvalue() == "kept" and not stream.closed


def test_a_process_whose_reader_leaves_ends_as_it_should():
    """Also Python's own flush at the end, which makes status 120 of a broken pipe."""
    code = (
        "from sightline.launch.terminal.output import surviving_console\n"
        "console = surviving_console()\n"
        "for _ in range(20_000):\n"
        "    console.file.write('a line of the log\\n')\n"
        "raise SystemExit(7)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == b"a line of the log\n"
    process.stdout.close()
    error = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 7
    assert error.count("\n") == 1 and "lost (Broken pipe)" in error

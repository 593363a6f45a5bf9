"""`sightline generate`: ask a trained model, at the prompt or over a file."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..hosts.compilation_cache import use_compilation_cache
from ..terminal.answers import Progress, print_answer, print_drafts
from ..terminal.preview_page import answer_page
from ._arguments import parse, require_file

if TYPE_CHECKING:
    from ..inference.asked import AskedModel
    from ..inference.mode import Mode
    from ..inference.settings import Settings
    from ..inference.trained_forms import Form

_ABOUT = """\
Ask a trained model: continue a text, fill blanks or masks, restore a text, score it.

  sightline generate runs/mine "def parse("
  sightline generate runs/mine --mode=fill "The <blank> of the list is <blank>."
  sightline generate runs/mine --mode=pairs "A first text." "A second one."
  sightline generate runs/mine                     (asks for one text a line)
  sightline generate runs/mine --input=in.jsonl --output=out.jsonl --temperature=0.8

A line of the input is an object with the keys of the mode: prompt (continue), text
(fill, masks, restore, likelihood), first and second (pairs). A line of the output has
the same keys and `answer`. Interrupted, the same command goes on, and ends with the
same file byte for byte on the same devices.

A mode that the run's mixture never trained is refused; --untrained insists.
"""


class Asking(NamedTuple):
    """Who is asked, and how."""

    asked: "AskedModel"
    mode: "Mode"
    form: "Form"
    settings: "Settings"

    def answer(
        self,
        questions: Sequence[Any],
        listen: Callable[[str], object] | None = None,
    ) -> list[Any]:
        """Answers at most a batch of questions."""
        return self.mode.answer(self.asked, questions, self.form, self.settings, listen)


def main(arguments: Sequence[str]) -> int:
    """Asks; returns the exit status."""
    parser = argparse.ArgumentParser(
        "sightline generate",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", metavar="RUN", help="a run with a checkpoint")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="to ask about")
    use_compilation_cache()

    from ._asking import add_settings, given_of, mode_of, settings_of

    add_settings(parser)
    _add_files(parser)
    options = parse(parser, arguments)
    _check_files(options)
    mode = mode_of(options)
    settings = settings_of(options, mode)

    from ..inference.asked import AskedModel
    from ..inference.mode import require_read
    from ..inference.open import load_trained
    from ..inference.trained_forms import choose_form

    asked = AskedModel(
        load_trained(Path(options.run_dir)), batch_rows=options.batch_rows
    )
    form = choose_form(
        asked.forms,
        mode.forms,
        mode=mode.name,
        mixture=asked.trained.mixture.name,
        asked=settings.form,
        untrained=settings.untrained,
    )
    require_read(mode, form, given_of(options))
    note = f"{options.run_dir}: step {asked.trained.step:,}, asked as {form!r}"
    trained_by = asked.forms.objectives.get(form)
    note += f" by {', '.join(trained_by)}" if trained_by else ", which is not trained"
    print(f"{note}.", file=sys.stderr)
    asking = Asking(asked, mode, form, settings)
    if options.input:
        return _answer_file(options, asking)
    if options.texts:
        return _answer_texts(options, asking)
    return _answer_lines(options, asking)


def _answer_file(options: argparse.Namespace, asking: Asking) -> int:
    from ..inference.answer_file import answer_file, read_job

    source, out = Path(options.input), Path(options.output)
    job = read_job(source, *asking)
    with Progress(len(job.rows)) as progress:
        done = answer_file(job, out, *asking, progress=progress.update)
    before = f", {done:,} of them before" if done else ""
    print(
        f"{len(job.rows):,} rows answered{before}; {progress.speed()}", file=sys.stderr
    )
    return 0


def _answer_texts(options: argparse.Namespace, asking: Asking) -> int:
    from ._asking import rows_of

    asked, mode, form, settings = asking
    questions = [
        mode.ask(asked, row, number, form, settings)
        for number, row in enumerate(rows_of(options.texts, mode))
    ]
    begun, size = time.perf_counter(), asked.batch_rows
    answers: list[Any] = []
    for first in range(0, len(questions), size):
        part = questions[first : first + size]
        answers += asking.answer(part)
    seconds = time.perf_counter() - begun
    if options.html:
        _write_page(options, asking, answers)
    for answer in answers:
        if options.format == "json":
            print(json.dumps(answer.line(), ensure_ascii=False))
        else:
            print_answer(answer.fields)
    tokens = sum(int(answer.fields.get("tokens", 0)) for answer in answers)
    print(f"{tokens:,} tokens in {seconds:.1f} s, compiling included", file=sys.stderr)
    print_drafts([answer.fields for answer in answers])
    return 0


def _write_page(
    options: argparse.Namespace, asking: Asking, answers: Sequence[Any]
) -> None:
    """Writes the page of what each token of the answers saw."""
    from ..inference.pictures import answer_scenes

    trained = asking.asked.trained
    scenes = answer_scenes(asking.asked, answers, mode=asking.mode.name)
    lead = (
        f"Step {trained.step:,}, mixture {trained.mixture.name}. What each token of an "
        "answer could see, and how likely the model held it."
    )
    page = answer_page(
        f"What {options.run_dir} answers",
        lead,
        [each.scene for each in scenes],
        [each.log_probabilities for each in scenes],
    )
    write_whole(Path(options.html), page)
    print(f"wrote {options.html}", file=sys.stderr)


def _answer_lines(options: argparse.Namespace, asking: Asking) -> int:
    """Answers one line after another, as they are typed."""
    from ._asking import typed_rows

    asked, mode, form, settings = asking
    console = Console(stderr=True)
    if sys.stdin.isatty():
        what = " and ".join(mode.keys)
        console.print(f"One {what} a line, Ctrl-D to end.", style="dim")

    def refuse(error: UsageError) -> None:
        print(f"sightline: {error}", file=sys.stderr)

    lines = iter(sys.stdin.readline, "")
    for number, row in enumerate(typed_rows(lines, mode, refuse=refuse)):
        try:
            question = mode.ask(asked, row, number, form, settings)
        except UsageError as error:
            refuse(error)
            continue
        shown = ""

        def listen(text: str) -> None:
            nonlocal shown
            if options.format != "json" and mode.name == "continue":
                print(text[len(shown) :], end="", flush=True)
                shown = text

        begun = time.perf_counter()
        (answer,) = asking.answer([question], listen)
        seconds = time.perf_counter() - begun
        if options.format == "json":
            print(json.dumps(answer.line(), ensure_ascii=False))
        elif shown:
            print(answer.text[len(shown) :])
        else:
            print_answer(answer.fields)
        sys.stdout.flush()
        if console.is_terminal:
            speed = int(answer.fields.get("tokens", 0)) / max(seconds, 1e-9)
            console.print(f"{speed:,.0f} tokens/s", style="dim")
            print_drafts([answer.fields])
    return 0


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", metavar="FILE", help="questions, an object a line")
    parser.add_argument("--output", metavar="FILE", help="answers, an object a line")
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="write a page of what each token of an answer saw, and how likely it was",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--batch_rows",
        type=int,
        default=32,
        metavar="B",
        help="rows that are answered together, over all devices (%(default)d)",
    )


def _check_files(options: argparse.Namespace) -> None:
    """Refuses files and texts that do not go together, before anything is loaded."""
    if bool(options.input) != bool(options.output):
        raise UsageError("--input and --output go together; give both, or neither.")
    if options.input and options.texts:
        raise UsageError(
            "texts came with --input; put them into the file, or ask alone."
        )
    if (
        options.input
        and Path(options.input).resolve() == Path(options.output).resolve()
    ):
        raise UsageError("--output is the --input itself; give another file.")
    if options.html and not options.texts:
        raise UsageError(
            "--html shows the answers to texts of the command line; give one."
        )
    if options.html:
        require_file("--html", Path(options.html))

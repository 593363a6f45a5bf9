"""The memo, part by part, as blocks."""

import shlex
from collections.abc import Iterator

from .appendix import appendix
from .blocks import Block, Commands, Document, Heading, Items, Paragraph, code
from .failures import failures
from .first_page import first_page, unknown
from .gin_text import whose
from .inputs import Memo


def content(memo: Memo) -> Document:
    """All of the memo, in the order in which it is read."""
    main = (*first_page(memo), *failures(memo), *_verify(memo), *_not_measured(memo))
    return Document(main, list(appendix(memo)))


def _verify(memo: Memo) -> Iterator[Block]:
    """Commands, in the order in which they are run."""
    origin = memo.provenance
    if not memo.proposal.changes:
        return
    yield Heading(2, "How to verify it")
    yield Paragraph(
        "Review the change, audit it for leaks, train, and measure again with the same "
        "probes. Compare only runs of equal processed tokens. "
        f"{whose(memo.start)} Your own model and run files may follow it."
    )
    gin = shlex.quote(f"{origin.folder.rstrip('/')}/recommended.gin")
    bound = [f"--gin.{setting}" for setting in origin.settings]
    examined = [f"--corpus={origin.corpus}"] if origin.corpus else []
    examined = [*examined, *bound, f"--failures={','.join(memo.failures)}"]
    yield Commands(
        [
            f"sightline mix diff {shlex.quote(origin.gin)} {gin}",
            f"sightline audit --gin_file={gin}",
            f"sightline train --gin_file={gin} --run_dir=runs/recommended",
            f"sightline diagnose runs/recommended {shlex.join(examined)} "
            "--out=memo_after",
        ]
    )
    present = ", ".join(code(name) for name in memo.traits.objectives)
    yield Paragraph(
        "The change works if the scores of the failures improve with intervals that do "
        "not overlap those above, and the held-out losses of the present objectives "
        f"({present}) rise by no more than you accept."
    )


def _not_measured(memo: Memo) -> Iterator[Block]:
    yield Heading(2, "What was not measured")
    texts = unknown(memo)
    texts += [
        f"{cause.name[0].upper()}{cause.name[1:]}: {cause.statement}"
        for cause in memo.causes
        if cause.verdict == "not measured"
    ]
    if not any(complaint.count is not None for complaint in memo.complaints):
        texts.append("How often reviewers find each failure: no counts were given.")
    if memo.not_measured:
        texts.append(f"{len(memo.not_measured)} more, listed in the appendix.")
    yield Items(texts)

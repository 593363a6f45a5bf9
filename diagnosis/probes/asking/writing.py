"""What a model writes where targets are missing, many Examples side by side."""

from collections.abc import Sequence

import numpy as np

from ....models.generate import make_generate
from ....models.prompts import prompts
from ....models.samplers import Sampler, greedy, row_keys
from ....objectives.example import Example
from .subject import Subject, Tokens

ROWS = 32
"""Texts that are written side by side."""


def write(
    subject: Subject,
    asked: Sequence[Example],
    *,
    sampler: Sampler = greedy,
    seed: int = 0,
    names: Sequence[int] = (),
    ends: bool = True,
) -> list[Tokens]:
    """Lets a model write targets of Examples, one token after another.

    Args:
      subject: the model.
      asked: the targets of weight 0 come first and are given; tokens of the others are
        placeholders.
      sampler: of `models.samplers`.
      seed: of the sampler; greedy decoding makes no use of it.
      names: ids that may be written, besides those of text.
      ends: whether EOS, or else the end of the row, ends a text; if not, it has as many
        tokens as its Example asks for.

    Returns:
      Of each Example what was written behind what was given, with its EOS.
    """
    ids, shape = subject.words.special_ids, subject.shape
    allowed = np.zeros(subject.words.size, bool)
    allowed[[*ids.text, *names, *([ids.eos] if ends else [])]] = True
    eos = ids.eos if ends else None
    generate = make_generate(
        subject.model, sampler=sampler, bos=ids.bos, eos=eos, allowed=allowed
    )
    slots = shape.decoder.slots
    found: list[Tokens] = []
    for first in range(0, len(asked), ROWS):
        part = list(asked[first : first + ROWS])
        # Always as many rows, so that one program serves all.
        filled = part + [part[0]] * (ROWS - len(part))
        given = [int((e.targets_weights == 0).sum()) for e in filled]
        room = [slots if shape.encoder else slots - len(e.inputs) for e in filled]
        made = prompts(
            filled,
            given=given,
            inputs=(shape.encoder or shape.decoder).slots,
            targets=slots,
            lengths=room if ends else [len(e.targets) for e in filled],
        )
        written = generate(made, row_keys(seed, first, rows=ROWS))
        ranges = zip(written.targets, given, written.lengths, strict=True)
        found += [row[start:stop] for row, start, stop in ranges][: len(part)]
    return found

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
    examples: Sequence[Example],
    *,
    sampler: Sampler = greedy,
    seed: int = 0,
    extra_ids: Sequence[int] = (),
    ends: bool = True,
) -> list[Tokens]:
    """Lets a model write targets of Examples, one token after another.

    Args:
      subject: the model.
      examples: their leading targets of weight 0 are the prompt; tokens of the other
        targets are placeholders.
      sampler: of `models.samplers`.
      seed: of the sampler; greedy decoding makes no use of it.
      extra_ids: ids that may be written, besides those of text.
      ends: whether EOS, or else the end of the row, ends a text; if not, it has as many
        tokens as its Example asks for.

    Returns:
      Of each Example what was written behind what was given, with its EOS.
    """
    ids, shape = subject.vocab.special_ids, subject.shape
    allowed = np.zeros(subject.vocab.size, bool)
    allowed[[*ids.text, *extra_ids, *([ids.eos] if ends else [])]] = True
    eos = ids.eos if ends else None
    generate = make_generate(
        subject.model, sampler=sampler, bos=ids.bos, eos=eos, allowed=allowed
    )
    slots = shape.decoder.slots
    texts: list[Tokens] = []
    for first in range(0, len(examples), ROWS):
        chunk = list(examples[first : first + ROWS])
        # Always as many rows, so that one program serves all.
        filled = chunk + [chunk[0]] * (ROWS - len(chunk))
        prompt_lengths = [int((e.targets_weights == 0).sum()) for e in filled]
        room = [slots if shape.encoder else slots - len(e.inputs) for e in filled]
        batch = prompts(
            filled,
            given=prompt_lengths,
            inputs=(shape.encoder or shape.decoder).slots,
            targets=slots,
            lengths=room if ends else [len(e.targets) for e in filled],
        )
        written = generate(batch, row_keys(seed, first, rows=ROWS))
        ranges = zip(written.targets, prompt_lengths, written.lengths, strict=True)
        texts += [row[start:stop] for row, start, stop in ranges][: len(chunk)]
    return texts

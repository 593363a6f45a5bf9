"""Generates the targets of many Examples in parallel."""

from collections.abc import Sequence

import numpy as np

from ....models.decoding.generate import make_generate
from ....models.decoding.prompts import prompts
from ....models.decoding.samplers import Sampler, greedy, row_keys
from ....objectives.example import Example
from .subject import Subject, Tokens

ROWS = 32
"""Texts that are generated in parallel."""


def write(
    subject: Subject,
    examples: Sequence[Example],
    *,
    sampler: Sampler = greedy,
    seed: int = 0,
    extra_ids: Sequence[int] = (),
    ends: bool = True,
) -> list[Tokens]:
    """Generates targets of Examples token by token.

    Args:
      subject: the model.
      examples: their leading targets of weight 0 are the prompt; tokens of the other
        targets are placeholders.
      sampler: of `models.decoding.samplers`.
      seed: of the sampler; unused by greedy decoding.
      extra_ids: ids that may be generated besides text.
      ends: whether a text ends with EOS or its row; if not, it has as many tokens as
        its Example has targets.

    Returns:
      The generated tokens of each Example after its prompt, EOS included.
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
        # A constant number of rows, so that one compiled program serves all.
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

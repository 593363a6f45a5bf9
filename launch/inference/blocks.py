"""Goes on writing block after block, as `block_diffusion` trains it on one canvas."""

from collections.abc import Sequence

import numpy as np

from ...models.decoding.canvas import block_ends, canvas
from ...models.decoding.fill import make_fill
from ...models.decoding.stop_texts import StopTexts
from ...objectives.errors import UsageError
from ...objectives.example import in_place
from ...tasks.rows.layout import budget
from .asked import AskedModel
from .mode import Answer
from .settings import Ended, Settings
from .writing import Question, row_keys


def room_in_blocks(asked: AskedModel, prompt: int) -> int:
    """How many tokens may be written behind a prompt of so many.

    With it, as many as a window of training may have: a text in blocks is in the
    encoder, or in both streams, as its form has it.

    Raises:
      UsageError: none; the message gives the limit.
    """
    room = _most_tokens(asked) - prompt
    if room < 1:
        raise UsageError(
            f"the prompt takes {prompt} tokens, and a text in blocks has at most "
            f"{_most_tokens(asked)} in rows of this run, one of them at least for the "
            f"answer; shorten it by {1 - room} tokens."
        )
    return room


def _most_tokens(asked: AskedModel) -> int:
    return asked.forms.objective("blocks").window(budget(asked.rows))


def continue_in_blocks(
    asked: AskedModel, questions: Sequence[Question], settings: Settings
) -> list[Answer]:
    """Fills blocks of masks behind each prompt until EOS, or until there are enough.

    Blocks are those of training, counted from where the text begins. An encoder–decoder
    that was trained in the exact form reads the blocks before in its encoder.
    """
    ids, block = asked.ids, int(asked.forms.setting("blocks", "block"))
    coded = asked.rows.encoder is not None
    exact = coded and asked.forms.setting("blocks", "form") == "exact"
    spare = asked.batch_rows - len(questions)
    filled = [*questions, *[questions[0]._replace(most=1)] * spare]
    texts = [np.concatenate([q.before, np.full(q.most, ids.mask)]) for q in filled]
    batch = canvas(
        [text.astype(np.int32) for text in texts],
        open=[
            np.arange(len(text)) >= len(question.before)
            for text, question in zip(texts, filled, strict=True)
        ],
        slots=_most_tokens(asked),
        visible_to=[block_ends(len(text), block=block) for text in texts],
    )
    fill = make_fill(
        asked.trained.model,
        sampler=settings.sampler,
        order=settings.order,
        per_pass=settings.per_pass,
        threshold=settings.threshold,
        block=None if coded else block,
        exact=exact,
        eos=ids.eos,
        pad=ids.pad,
        allowed=asked.allowed(ids.eos),
    )
    keys = row_keys(settings.seed, [q.number for q in filled])
    before = [q.before for q in filled]
    stops = StopTexts(asked.vocab.decode, settings.stop, before=before)
    texts_of = StopTexts(asked.vocab.decode, (), before=before)
    with asked.on_mesh():
        pieces = fill.stream(
            asked.placed(batch),
            asked.placed(keys),
            passes=16 if settings.stop else 2**30,
            ends=stops if settings.stop else None,
        )
        made = None
        for piece in pieces:
            made = piece.filled
    assert made is not None  # a canvas has a piece, even if nothing is open
    answers = []
    for row, question in enumerate(questions):
        start, end = len(question.before), int(made.lengths[row])
        tokens = made.tokens[row, :end]
        whole = tokens[start:]
        ended: Ended = "length"
        if len(whole) and whole[-1] == ids.eos:
            ended, whole = "eos", whole[:-1]
        cut = stops.cut(row, whole)
        if cut.text != texts_of.cut(row, whole).text:
            ended, whole = "stop", whole[: cut.tokens]
        fields = {
            "text": cut.text,
            "tokens": len(whole),
            "log_probability": float(made.log_probabilities[row, :end].sum()),
            "ended": ended,
            "passes": int(made.passes[row]),
        }
        example = in_place(
            0,
            tokens,
            positions=1 + np.arange(end),
            targets=tokens,
            weights=np.arange(end) >= start,
            sees=block_ends(end, block=block),
        )
        answers.append(Answer(fields, "blocks", None if exact else example))
    return answers

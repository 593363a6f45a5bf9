"""Goes on writing block after block, as `block_diffusion` trains it on one canvas."""

from collections.abc import Sequence

import numpy as np

from ...models.canvas import block_ends, canvas
from ...models.fill import make_fill
from ...models.stop_texts import StopTexts
from ...objectives.example import in_place
from .asked import AskedModel
from .mode import Answer
from .settings import Ended, Settings
from .writing import Question, row_keys


def continue_in_blocks(
    asked: AskedModel, questions: Sequence[Question], settings: Settings
) -> list[Answer]:
    """Fills blocks of masks behind each prompt until EOS, or until there are enough.

    Blocks are those of training, counted from where the text begins.
    """
    ids, block = asked.ids, int(asked.forms.setting("blocks", "block"))
    spare = asked.batch_rows - len(questions)
    filled = [*questions, *[questions[0]._replace(most=1)] * spare]
    texts = [np.concatenate([q.before, np.full(q.most, ids.mask)]) for q in filled]
    ends = [block_ends(len(text), block=block) for text in texts]
    batch = canvas(
        texts,
        open=[
            np.arange(len(t)) >= len(q.before)
            for t, q in zip(texts, filled, strict=True)
        ],
        slots=asked.rows.decoder.slots,
        visible_to=ends,
    )
    fill = make_fill(
        asked.trained.model,
        sampler=settings.sampler,
        order=settings.order,
        per_pass=settings.per_pass,
        block=block,
        eos=ids.eos,
        pad=ids.pad,
        allowed=asked.allowed(ids.eos),
    )
    keys = row_keys(settings.seed, [q.number for q in filled])
    with asked.on_mesh():
        made = fill(asked.placed(batch), asked.placed(keys))
    stops = StopTexts(
        asked.vocab.decode, settings.stop, before=[q.before for q in filled]
    )
    answers = []
    for row, question in enumerate(questions):
        start, end = len(question.before), int(made.lengths[row])
        tokens = made.tokens[row, :end]
        whole = tokens[start:]
        ended: Ended = "length"
        if len(whole) and whole[-1] == ids.eos:
            ended, whole = "eos", whole[:-1]
        cut = stops.cut(row, whole)
        if cut.tokens < len(whole):
            ended = "stop"
        fields = {
            "text": cut.text,
            "tokens": len(whole),
            "log_probability": round(float(made.log_probabilities[row, :end].sum()), 4),
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
        answers.append(Answer(fields, "blocks", example))
    return answers

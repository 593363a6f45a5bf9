"""Goes on writing: what comes after a text.

`causal` training predicts every next token; `prefix` training, the second part of a
text from the first; `span_corruption`, a blank at the end of a text, which every one of
its Examples has; `block_diffusion`, block after block in place.
"""

from collections.abc import Sequence

import numpy as np

from ...objectives.causal import left_to_right
from ...objectives.example import Example
from ...objectives.prefix import cut_at
from ...objectives.span_corruption import without_spans
from .asked import AskedModel
from .blocks import continue_in_blocks, room_in_blocks
from .marks import encode_pieces
from .mode import DRAWN, Answer, Mode, Row, text_of
from .settings import Settings
from .speculating import require_drafts, write_speculating
from .trained_forms import Form
from .writing import Listen, Question, Written, write


def _ask(
    asked: AskedModel, row: Row, number: int, form: Form, settings: Settings
) -> Question:
    """Lays a prompt out so that its continuation is what the Example predicts next.

    causal  targets: prompt …
    prefix  inputs: prompt; targets: …
    span    inputs: prompt <0> EOS; targets: <0> …
    """
    (prompt,) = encode_pieces(asked.vocab, text_of(row, "prompt"), None)
    text = np.append(prompt, np.int32(asked.ids.pad))  # a place for the first token
    end = len(prompt)
    match form:
        case "prefix":
            example, given = cut_at(text, end), 0
        case "span":
            dropped = np.arange(len(text)) == end
            example, given = without_spans(text, dropped, asked.ids), 1
        case _:
            example, given = left_to_right(text), end
    example = asked.with_mode_token(example, form)
    if form == "blocks":
        room = room_in_blocks(asked, end)
    else:
        room = asked.room(example, given, "the prompt")
    most = min(room, settings.max_tokens)
    if settings.drafts:
        require_drafts(asked, form, settings)
    return Question(number, example, given, most, before=prompt)


def _answer(
    asked: AskedModel,
    questions: Sequence[Question],
    form: Form,
    settings: Settings,
    listen: Listen | None,
) -> list[Answer]:
    if form == "blocks":
        return continue_in_blocks(asked, questions, settings)
    costs: Sequence[dict[str, int]] = [{}] * len(questions)
    if settings.drafts:
        written, costs = write_speculating(asked, questions, settings)
    else:
        written = write(asked, questions, settings, listen=listen)
    return [
        Answer(
            {**answer.fields(), **cost},
            form,
            answered(question, answer, asked.ids.eos),
        )
        for question, answer, cost in zip(questions, written, costs, strict=True)
    ]


def answered(question: Question, written: Written, eos: int) -> Example:
    """The Example of a question, its free targets those that were written."""
    example, given = question.example, question.given
    free = [*written.tokens, *([eos] if written.ended == "eos" else [])]
    first = example.targets_positions[given]
    return example._replace(
        targets=np.concatenate([example.targets[:given], free]).astype(np.int32),
        targets_positions=np.concatenate(
            [example.targets_positions[:given], first + np.arange(len(free))]
        ).astype(np.int32),
        targets_weights=(np.arange(given + len(free)) >= given).astype(np.float32),
    )


MODE = Mode(
    name="continue",
    about="goes on writing after `prompt`",
    keys=("prompt",),
    forms=("causal", "prefix", "span", "blocks"),
    ask=_ask,
    answer=_answer,
    reads=DRAWN | {"stop", "max_tokens", "order", "per_pass", "threshold", "drafts"},
    read_by={
        **dict.fromkeys(("order", "per_pass", "threshold"), ("blocks",)),
        "drafts": ("causal",),
    },
)

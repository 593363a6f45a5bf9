"""Goes on writing several tokens a pass: drafts from masks, verified left to right.

For a decoder that was trained both causally and by masks: the text is that of writing
token by token, or has its distribution (`models.decoding.speculate`).
"""

from collections.abc import Sequence

from ...models.decoder import Decoder
from ...models.decoding.speculate import make_speculate
from ...objectives.errors import UsageError
from .asked import AskedModel
from .settings import Settings
from .trained_forms import Form
from .writing import Question, Written, batch_of, read_rows, row_keys


def require_drafts(asked: AskedModel, form: Form, settings: Settings) -> None:
    """Refuses drafts of a model that was not trained to make them.

    Raises:
      UsageError: it is no decoder, is asked in another form than "causal", or was not
        trained by masks.
    """
    if form != "causal" or not isinstance(asked.trained.model, Decoder):
        raise UsageError(
            f"drafts={settings.drafts} drafts for a decoder that is asked as causal "
            "training does; take it out, or ask in the form 'causal'."
        )
    if not {"masked", "shifted"} & set(asked.forms.objectives):
        raise UsageError(
            f"drafts={settings.drafts} drafts from masks, and mixture "
            f"{asked.trained.mixture.name!r} trains none; take it out."
        )


def write_speculating(
    asked: AskedModel, questions: Sequence[Question], settings: Settings
) -> tuple[list[Written], list[dict[str, int]]]:
    """What `writing.write` writes, and what each row cost: rounds of two passes, and
    drafted tokens that were kept.
    """
    ids, (batch, filled) = asked.ids, batch_of(asked, questions)
    speculate = make_speculate(
        asked.trained.model,
        sampler=settings.sampler,
        bos=ids.bos,
        eos=ids.eos,
        mask=ids.mask,
        drafts=settings.drafts,
        shift="shifted" in asked.forms.objectives,
        pad=ids.pad,
        allowed=asked.allowed(ids.eos),
    )
    keys = row_keys(settings.seed, [q.number for q in filled])
    with asked.on_mesh():
        made = speculate(asked.placed(batch), asked.placed(keys))
    costs = [
        {"rounds": int(made.rounds[row]), "accepted": int(made.accepted[row])}
        for row in range(len(questions))
    ]
    return read_rows(asked, questions, made.generated, settings), costs

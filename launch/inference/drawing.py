"""The picture of an objective: what its slots may see, and what a model depends on."""

from typing import NamedTuple

from ...diagnosis.audit.dependence import make_measure
from ...diagnosis.audit.picture import pictures, telling_objectives
from ...diagnosis.audit.picture_svg import svg
from ...models.build import Model
from ...models.decoder import Decoder
from ...objectives.errors import UsageError, nearest
from ...tasks.tokens.vocabulary import Vocabulary


class Drawing(NamedTuple):
    """A picture, which a notebook shows.

    Attributes:
      text: of the SVG.
    """

    text: str

    def _repr_svg_(self) -> str:
        return self.text


def picture(model: Model, objective: str, vocab: Vocabulary) -> Drawing:
    """Draws what each slot of a short example may see, and what a model depends on.

    Args:
      model: computing in float32, in which no dependence means exactly 0.
      objective: its name.
      vocab: the model's vocabulary.

    Raises:
      UsageError: no such objective, or a model that computes in less precision.
    """
    known = telling_objectives()
    if objective not in known:
        raise UsageError(f"no objective {objective!r}; {nearest(objective, known)}")
    if model.config.compute_dtype != "float32":
        raise UsageError(
            "the model computes in bfloat16, which hides what its slots depend on; "
            'build it with compute_dtype="float32".'
        )
    architecture = "decoder" if isinstance(model, Decoder) else "encoder_decoder"
    (drawn,) = pictures(
        {objective: known[objective]},
        make_measure(model),
        vocab.special_ids,
        architecture=architecture,
    )
    return Drawing(svg(drawn))

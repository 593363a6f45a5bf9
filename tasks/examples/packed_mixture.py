"""A mixture on rows, as it is measured and trained."""

from typing import NamedTuple

from ...models.rows import Normalisation, RowShape
from .mixture import Mixture


class PackedMixture(NamedTuple):
    """A mixture, the rows that its Examples fill, and how its loss is weighed.

    Attributes:
      mixture: tasks and their rates.
      rows: capacities of a row.
      batch_rows: B.
      normalisation: of the loss.
    """

    mixture: Mixture
    rows: RowShape
    batch_rows: int = 32
    normalisation: Normalisation = "objective"

"""The corpus `wikipedia`: the articles of one language's Wikipedia, from TFDS.

For machines that have it, prepared by TFDS in the format array_record. TFDS has one
split; the last percent of it is held out, which is a random one as TFDS shuffles.
"""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, cast

from . import Corpus, _tfds, check_split

_SLICES = {"train": "train[:99%]", "validation": "train[99%:]"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wikipedia:
    """The corpus `wikipedia`.

    Attributes:
      config: date of the dump and language, as in `20230601.en`.
      version: of the prepared dataset.
      data_dir: where TFDS keeps datasets; empty: `TFDS_DATA_DIR`, or its default.
    """

    config: str = "20230601.en"
    version: str = "1.0.0"
    data_dir: str = ""

    name: ClassVar[str] = "wikipedia"
    splits: ClassVar[tuple[str, ...]] = tuple(_SLICES)
    vocabulary: ClassVar[str] = "bytes"

    def check(self) -> None:
        """Raises ValueError unless the dataset is prepared; looks on disk only."""
        _tfds.check(self._dataset, data_dir=self.data_dir, needs=["train"])

    def identity(self) -> str:
        """TFDS's name of the dataset, which has its version."""
        return self._dataset

    def documents(self, split: str) -> Sequence[str]:
        """The articles of a split.

        Raises:
          ValueError: no such split, or the dataset is not prepared.
        """
        check_split(cast(Corpus, self), split)  # whose names are class variables here
        return _tfds.documents(
            self._dataset, _SLICES[split], data_dir=self.data_dir, needs=["train"]
        )

    @property
    def _dataset(self) -> str:
        return f"wikipedia/{self.config}:{self.version}"


CORPUS = Wikipedia

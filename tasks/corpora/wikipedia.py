"""The corpus `wikipedia`: the articles of one language's Wikipedia, from TFDS.

For machines that have it, prepared by TFDS in the format array_record. TFDS has one
split; its last percent is held out, a random one because TFDS shuffles.
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
      data_dir: of TFDS's datasets; empty for `TFDS_DATA_DIR`, or TFDS's default.
    """

    config: str = "20230601.en"
    version: str = "1.0.0"
    data_dir: str = ""

    name: ClassVar[str] = "wikipedia"
    splits: ClassVar[tuple[str, ...]] = tuple(_SLICES)
    vocabulary: ClassVar[str] = "bytes"

    def check(self) -> None:
        """Raises ValueError unless the dataset is prepared; looks on disk only."""
        _tfds.check(self.name, self._dataset, data_dir=self.data_dir, needs=["train"])

    def identity(self) -> str:
        """TFDS's name of the dataset, including its version."""
        return self._dataset

    def documents(self, split: str) -> Sequence[str]:
        """The articles of a split.

        Raises:
          ValueError: no such split, or the dataset is not prepared.
        """
        check_split(cast(Corpus, self), split)  # its names are class variables here
        return _tfds.documents(
            self.name,
            self._dataset,
            _SLICES[split],
            data_dir=self.data_dir,
            needs=["train"],
        )

    @property
    def _dataset(self) -> str:
        return f"wikipedia/{self.config}:{self.version}"


CORPUS = Wikipedia

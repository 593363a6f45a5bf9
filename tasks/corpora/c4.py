"""The corpus `c4`: web pages of the Colossal Clean Crawled Corpus, as TFDS prepares it.

Raffel et al., 2020 (arXiv 1910.10683), section 2.2. For machines that have it: about
800 GB, prepared by TFDS in the format array_record.
"""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, cast

from . import Corpus, _tfds, check_split


@dataclasses.dataclass(frozen=True, kw_only=True)
class C4:
    """The corpus `c4`.

    Attributes:
      config: TFDS's name of the variant: en, en.noclean, realnewslike, webtextlike.
      version: of the prepared dataset.
      data_dir: of TFDS's datasets; empty for `TFDS_DATA_DIR`, or TFDS's default.
    """

    config: str = "en"
    version: str = "3.1.0"
    data_dir: str = ""

    name: ClassVar[str] = "c4"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "bytes"

    def check(self) -> None:
        """Raises ValueError unless the dataset is prepared; looks on disk only."""
        _tfds.check(self.name, self._dataset, data_dir=self.data_dir, needs=self.splits)

    def identity(self) -> str:
        """TFDS's name of the dataset, including its version."""
        return self._dataset

    def documents(self, split: str) -> Sequence[str]:
        """The pages of a split.

        Raises:
          ValueError: no such split, or the dataset is not prepared.
        """
        check_split(cast(Corpus, self), split)  # its names are class variables here
        return _tfds.documents(
            self.name, self._dataset, split, data_dir=self.data_dir, needs=self.splits
        )

    @property
    def _dataset(self) -> str:
        return f"c4/{self.config}:{self.version}"


CORPUS = C4

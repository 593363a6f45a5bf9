"""The corpus `tfds`: any text data set that TFDS has prepared, by name.

    tfds.name = 'lm1b:1.1.0'
    tfds.validation = 'test'
    news/tfds.name = 'ag_news_subset:1.0.0'     # a second one, 'news/tfds.causal'
    news/tfds.feature = 'description'
    news/tfds.train = 'train[:99%]'
    news/tfds.validation = 'train[99%:]'

It is prepared by TFDS in the format array_record. `c4` and `wikipedia` are corpora of
their own.
"""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, cast

from ...objectives.errors import UsageError
from . import Corpus, _tfds, check_split
from ._splits import check_parts, open_part, parts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tfds:
    """The corpus `tfds`; its settings are those of `tfds`."""

    dataset: str
    feature: str
    train: str
    validation: str
    data_dir: str

    name: ClassVar[str] = "tfds"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "bytes"

    def __post_init__(self) -> None:
        parts(self.name, self.train, self.validation)

    def check(self) -> None:
        """Raises ValueError unless the dataset is prepared; looks on disk only."""
        self._checked()

    def identity(self) -> str:
        """TFDS's name of the dataset with its version, and a digest of its splits."""
        dataset = self._checked()
        return f"{dataset} {_tfds.digest(dataset, data_dir=self.data_dir)}"

    def documents(self, split: str) -> Sequence[str]:
        """The documents of a split.

        Raises:
          ValueError: no such split, or the dataset is not prepared.
        """
        check_split(cast(Corpus, self), split)  # its names are class variables here
        dataset = self._checked()

        def open_split(name: str) -> Sequence[str]:
            return _tfds.documents(
                self.name,
                dataset,
                name,
                data_dir=self.data_dir,
                needs=[name],
                feature=self.feature,
            )

        part = parts(self.name, self.train, self.validation)[split]
        return open_part(self.name, f"the TFDS dataset {dataset}", part, open_split)

    def _checked(self) -> str:
        """The dataset's name with its version."""
        if not self.dataset:
            raise UsageError(
                f"{self.name}.name is not set; set it to TFDS's name of a prepared "
                f"dataset, as in {self.name}.name = 'lm1b:1.1.0'."
            )
        dataset = _tfds.with_version(self.name, self.dataset, data_dir=self.data_dir)
        _tfds.check(self.name, dataset, data_dir=self.data_dir, needs=())
        splits, features = _tfds.contents(dataset, data_dir=self.data_dir)
        if splits is not None:
            read = parts(self.name, self.train, self.validation)
            check_parts(self.name, f"the TFDS dataset {dataset}", read, splits)
            needs = [part.split for part in read.values()]
            _tfds.check(self.name, dataset, data_dir=self.data_dir, needs=needs)
        if features is not None:
            _tfds.check_feature(dataset, self.feature, features)
        return dataset


def tfds(
    *,
    name: str = "",
    feature: str = "text",
    train: str = "train",
    validation: str = "validation",
    data_dir: str = "",
) -> Tfds:
    """The corpus `tfds`.

    Args:
      name: TFDS's name of the dataset: `lm1b:1.1.0`, `wiki40b/en:1.3.0`. The version
        may be left out where one is prepared.
      feature: the one that holds the text.
      train: the split to train on, or a part of one: `train[:99%]`.
      validation: the split that is held out, or a part of one: `train[99%:]`.
      data_dir: of TFDS's datasets; empty for `TFDS_DATA_DIR`, or TFDS's default.
    """
    return Tfds(
        dataset=name,
        feature=feature,
        train=train,
        validation=validation,
        data_dir=data_dir,
    )


CORPUS = tfds

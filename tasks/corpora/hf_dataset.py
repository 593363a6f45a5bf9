"""The corpus `hf_dataset`: a data set of Hugging Face's `datasets`, on disk.

    hf_dataset.folder = 'data/tiny_stories'         # from save_to_disk, or of .parquet
    hf_dataset.column = 'story'
    hf_dataset.validation = 'train[99%:]'
    code/hf_dataset.folder = 'data/code'            # a second one

Arrow files, as `Dataset.save_to_disk` and `DatasetDict.save_to_disk` write them, are
read where they are. Parquet, which has no random access, is copied once, below
`user_folder()`. It needs pyarrow, and neither `datasets` nor TensorFlow.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, cast

from ...objectives.errors import UsageError
from ..user_folder import user_folder
from . import Corpus, check_split, require_data_dir
from ._hf_layout import Layout, check_shards, layout_of, unread
from ._splits import check_parts, open_part, parts


@dataclasses.dataclass(frozen=True, kw_only=True)
class HfDataset:
    """The corpus `hf_dataset`.

    Attributes:
      folder: of the data set; `~` is the home folder.
      column: the one that holds the text.
      train: the split to train on, or a part of one: `train[:99%]`.
      validation: the split that is held out, or a part of one: `train[99%:]`.
    """

    folder: str = ""
    column: str = "text"
    train: str = "train"
    validation: str = "validation"

    name: ClassVar[str] = "hf_dataset"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "bytes"

    def __post_init__(self) -> None:
        parts(self.name, self.train, self.validation)

    def check(self) -> None:
        """Raises UsageError unless the folder holds such splits with such a column."""
        from ._hf_files import check_columns

        layout = self._layout()
        read = parts(self.name, self.train, self.validation)
        for split in dict.fromkeys(part.split for part in read.values()):
            check_shards(layout.files[split])
            check_columns(layout.files[split], self.column)
        require_data_dir()

    def identity(self) -> str:
        """A digest of the content of the files that are read, and of the column."""
        from ._hf_files import identity

        read = parts(self.name, self.train, self.validation)
        splits = sorted({part.split for part in read.values()})
        return identity(self._layout(), splits, self.column, user_folder())

    def unread(self) -> str:
        """What lies in the folder and is not read, splits too: `2 .csv`; "" if nothing.

        Files that belong to the format, as README.md, are not counted.
        """
        read = parts(self.name, self.train, self.validation)
        return unread(self._layout(), {part.split for part in read.values()})

    def documents(self, split: str) -> Sequence[str]:
        """The documents of a split; copies those of Parquet on the first call.

        Raises:
          ValueError: no such split or column, or files that are damaged.
        """
        check_split(cast(Corpus, self), split)  # its names are class variables here
        self.check()
        from ._hf_files import documents

        layout = self._layout()
        part = parts(self.name, self.train, self.validation)[split]

        def open_split(name: str) -> Sequence[str]:
            return documents(layout, name, self.column, user_folder())

        return open_part(self.name, str(layout.folder), part, open_split)

    def _layout(self) -> Layout:
        if not self.folder:
            raise UsageError(
                f"{self.name}.folder is not set; set it to a folder written by "
                "save_to_disk, or of .parquet files."
            )
        folder = Path(self.folder).expanduser().resolve()
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            raise UsageError(
                f"{self.name}.folder {self.folder!r} {what} ({folder}); set it to a "
                "folder written by save_to_disk, or of .parquet files."
            )
        layout = layout_of(folder)
        read = parts(self.name, self.train, self.validation)
        check_parts(self.name, str(folder), read, layout.files)
        return layout


CORPUS = HfDataset

"""Documents of a TFDS dataset, by random access."""

from collections.abc import Callable, Sequence
from typing import Any

from ._sound import sound


class Records(Sequence[str]):
    """The texts of a TFDS data source.

    Args:
      records: gives a data source.
      folder: of the prepared dataset.
      feature: of its records that holds the text.

    Raises:
      UsageError: a file is damaged, here or when a record is read.
    """

    def __init__(
        self, records: Callable[[], Any], folder: str, *, feature: str = "text"
    ):
        self._folder, self._feature = folder, feature
        self._records = sound(records, folder)
        self._length = sound(lambda: len(self._records), folder)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        return sound(lambda: self._records[index][self._feature].decode(), self._folder)

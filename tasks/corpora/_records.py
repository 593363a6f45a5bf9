"""Documents of a TFDS dataset, by random access."""

from collections.abc import Callable, Sequence
from typing import Any

from ...objectives.errors import UsageError
from ._sound import AGAIN, sound


class Records(Sequence[str]):
    """The texts of a TFDS data source.

    Args:
      records: gives a data source.
      folder: of the prepared dataset.
      feature: of its records that holds the text.
      cure: what to do if it is damaged.

    Raises:
      UsageError: a file is damaged, here or when a record is read, or a text is not
        UTF-8.
    """

    def __init__(
        self,
        records: Callable[[], Any],
        folder: str,
        *,
        feature: str = "text",
        cure: str = AGAIN,
    ):
        self._folder, self._feature, self._cure = folder, feature, cure
        self._records = sound(records, folder, cure)
        self._length = sound(lambda: len(self._records), folder, cure)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        record = sound(lambda: self._records[index], self._folder, self._cure)
        try:
            return record[self._feature].decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"document {index:,} (from 0) of {self._folder} is not UTF-8 in the "
                f"feature {self._feature!r}: byte {error.start + 1} of the text is "
                f"{error.object[error.start]:#04x}; re-encode the text and prepare the "
                "data set again."
            ) from error

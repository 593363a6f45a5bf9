"""Documents of a TFDS dataset, by random access."""

from collections.abc import Sequence


class Records(Sequence[str]):
    """The texts of a TFDS data source.

    Args:
      records: a data source, whose records have the feature `text`.
    """

    def __init__(self, records: Sequence):
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        return self._records[index]["text"].decode()

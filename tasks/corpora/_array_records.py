"""Documents of an ArrayRecord file, by random access."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._sound import AGAIN, sound


class ArrayRecords(Sequence[str]):
    """The texts of an ArrayRecord file whose records are UTF-8.

    Threads may share it: the file is opened once, under a lock, on the first read.

    Args:
      path: of the file.
      cure: what to do if it is damaged.

    Raises:
      UsageError: the file is damaged, here or when a record is read.
    """

    def __init__(self, path: Path, *, cure: str = AGAIN):
        from array_record.python.array_record_data_source import ArrayRecordDataSource

        self._folder, self._cure = path.parent, cure
        # Without the library's thread pool, which a forked process would lack.
        options = {"max_parallelism": "0"}
        self._records: Any = sound(
            lambda: ArrayRecordDataSource(os.fspath(path), options), self._folder, cure
        )
        self._length = sound(lambda: len(self._records), self._folder, cure)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        return sound(lambda: self._records[index].decode(), self._folder, self._cure)

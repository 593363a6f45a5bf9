"""Documents of an ArrayRecord file, by random access."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ...objectives.errors import UsageError

T = TypeVar("T")


class ArrayRecords(Sequence[str]):
    """The texts of an ArrayRecord file whose records are UTF-8.

    Threads may share it: the file is opened once, under a lock, on the first read.

    Args:
      path: of the file.

    Raises:
      UsageError: the file is damaged, here or when a record is read.
    """

    def __init__(self, path: Path):
        from array_record.python.array_record_data_source import ArrayRecordDataSource

        self._path = path
        # Without the library's thread pool, which a forked process would lack.
        options = {"max_parallelism": "0"}
        self._records: Any = self._sound(
            lambda: ArrayRecordDataSource(os.fspath(path), options)
        )
        self._length = self._sound(lambda: len(self._records))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        return self._sound(lambda: self._records[index].decode())

    def _sound(self, read: Callable[[], T]) -> T:
        """What a read gives; damage shows as these errors of the library."""
        try:
            return read()
        except (RuntimeError, ValueError, IndexError, EOFError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UsageError(
                f"the prepared corpus {self._path} is damaged ({reason}); delete the "
                f"folder {self._path.parent}, and the next run prepares it again."
            ) from error

"""Documents of an ArrayRecord file, by random access."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class ArrayRecords(Sequence[str]):
    """The texts of an ArrayRecord file whose records are UTF-8.

    Threads may share it: the file is opened once, under a lock, on the first read.

    Args:
      path: of the file.
    """

    def __init__(self, path: Path):
        from array_record.python.array_record_data_source import ArrayRecordDataSource

        # Without the library's thread pool, which a forked process would lack.
        options = {"max_parallelism": "0"}
        self._records: Any = ArrayRecordDataSource(os.fspath(path), options)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        return self._records[index].decode()

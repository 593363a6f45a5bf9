"""The corpus `text`: the .txt and .jsonl files of a folder, gzipped or not.

    text.folder = 'papers'

A .txt file is one document. A .jsonl file has one on each line, an object with the text
under `key`. Subfolders are read too. Documents are copied once, below
`user_folder()`, for random access; when a file is added or changed, the folder is
copied again.
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, cast

from ...objectives.errors import UsageError, nearest
from ..user_folder import user_folder
from . import Corpus, EmptySplitError, check_split, require_data_dir
from ._array_records import ArrayRecords
from ._text_files import SUFFIXES, File, files, unread


@dataclasses.dataclass(frozen=True, kw_only=True)
class Text:
    """The corpus `text`.

    Attributes:
      folder: of the files; `~` is the home folder.
      key: of the text in a line of .jsonl.
      bad: what to do with a document that is not UTF-8 or JSON, is empty, or lacks the
        key: raise an error, or leave it out and report the number, before every run.
      validation_percent: of the documents, held out as the split `validation`: those
        whose file's name and line hash lowest, so that adding files moves none. Of two
        documents or more at least one is held out; if its hash is above the
        percentage, a lower one that is added replaces it.
    """

    folder: str = ""
    key: str = "text"
    bad: Literal["error", "skip"] = "error"
    validation_percent: float | int = 1

    name: ClassVar[str] = "text"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "bytes"

    def __post_init__(self) -> None:
        choices = ("error", "skip")
        if self.bad not in choices:
            raise UsageError(f"text.bad is {self.bad!r}; {nearest(self.bad, choices)}")
        if not 0 <= self.validation_percent < 100:
            raise UsageError(
                f"text.validation_percent is {self.validation_percent}; it is a "
                "percentage of the documents, so set it within [0, 100)."
            )

    def check(self) -> None:
        """Raises UsageError unless the folder holds a file, and a copy can be kept."""
        self._folder_and_files()
        require_data_dir()

    def identity(self) -> str:
        """A digest of every file's name and content, and of the settings."""
        from ._text_builder import Settings, identity

        settings = Settings(self.key, self.bad, self.validation_percent)
        return identity(self._folder_and_files()[1], user_folder() / "text", settings)

    def unread(self) -> str:
        """What lies in the folder and is not read: `12 .pdf, 3 .md`; "" if nothing.

        Once the documents are copied, also the bad ones that were left out.
        """
        from ._text_builder import left_out

        found = [unread(*self._folder_and_files())]
        prepared = user_folder() / "text" / self.identity()
        if prepared.exists():
            found.append(left_out(prepared))
        return ", ".join(filter(None, found))

    def documents(self, split: str) -> Sequence[str]:
        """The documents of a split; copies them on the first call.

        Raises:
          ValueError: no such split, no folder, a bad document (`bad`), or a split
            without documents.
        """
        check_split(cast(Corpus, self), split)  # its names are class variables here
        from ._text_builder import Settings, prepare

        settings = Settings(self.key, self.bad, self.validation_percent)
        folder, text_files = self._folder_and_files()
        documents = _open(
            prepare(folder, text_files, user_folder() / "text", settings), split
        )
        if not documents:
            other = next(name for name in self.splits if name != split)
            raise EmptySplitError(
                f"no document of text.folder {self.folder!r} is in the split "
                f"{split!r}; all are in {other!r}, at text.validation_percent = "
                f"{self.validation_percent}. Change it, or add documents."
            )
        return documents

    def _folder_and_files(self) -> tuple[Path, list[File]]:
        """The folder, resolved, and its files, at least one."""
        suffixes = ", ".join(SUFFIXES)
        if not self.folder:
            raise UsageError(
                f"text.folder is not set; set it to a folder of {suffixes} files, as "
                "in text.folder = 'papers'."
            )
        folder = Path(self.folder).expanduser().resolve()
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            raise UsageError(
                f"text.folder {self.folder!r} {what} ({folder}); set it to a folder of "
                f"{suffixes} files."
            )
        if not (text_files := files(folder)):
            there = unread(folder, ()) or "no file"
            raise UsageError(
                f"text.folder {self.folder!r} has no {suffixes} file: there is "
                f"{there} below {folder}. Put documents there, or set text.folder to "
                "where they are."
            )
        return folder, text_files


@functools.cache
def _open(prepared: Path, split: str) -> ArrayRecords:
    return ArrayRecords(prepared / split)


CORPUS = Text

"""The corpus `seqio`: the texts of a SeqIO Task that a user's module registers.

    sightline train --import=my_tasks --gin_file=mine.gin --run_dir=runs/mine

    seqio.task = 'my_task'              # read as 'seqio.causal', 'seqio.masked', …
    laws/seqio.task = 'my_laws'         # a second one, as 'laws/seqio.causal'

A document is the Task's feature `targets`, or else `text`, before it is tokenised: the
preprocessors run up to the first that tokenises. Of a Task that gives ids throughout,
it is their text in the Task's own vocabulary. The texts are copied once, below
`user_folder()`, for random access; they are copied again when the source of the
user's modules changes.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, cast

from ...objectives.errors import UsageError
from .. import host_tensorflow, user_modules
from ..user_folder import user_folder
from . import Corpus, _prepared, check_split, require_data_dir
from ._splits import open_part, parts


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeqioTask:
    """The corpus `seqio`.

    Attributes:
      task: name of the Task in SeqIO's registry.
      feature: whose text is read; empty for `targets`, or `text` if there is none.
      train: the Task's split to train on, or a part of it: `train[:99%]`.
      validation: the split that is held out, or a part of one: `train[99%:]`.
    """

    task: str = ""
    feature: str = ""
    train: str = "train"
    validation: str = "validation"

    name: ClassVar[str] = "seqio"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "bytes"

    def __post_init__(self) -> None:
        parts(self.name, self.train, self.validation)

    def check(self) -> None:
        """Raises UsageError unless the Task is registered and gives such texts."""
        if not self.task:
            raise UsageError(
                f"{self.name}.task is not set; set it to a SeqIO Task that a module "
                f"named by --import registers, as in {self.name}.task = 'my_task'."
            )
        host_tensorflow.require("seqio")
        user_modules.load()
        from ._seqio_builder import check_task

        read = parts(self.name, self.train, self.validation)
        check_task(self.name, self.task, read)
        require_data_dir()

    def identity(self) -> str:
        """A digest of the texts; copies them on the first call."""
        contents = _prepared.contents(self._prepare())
        return " ".join(content["sha256"][:32] for content in contents.values())

    def unread(self) -> str:
        """Examples without text: `3 blank examples of 'train'`; "" if there are none.

        Copies the texts on the first call.
        """
        blank = _prepared.about(self._prepare())["blank"]
        return ", ".join(
            f"{count:,} blank example{'s'[: count > 1]} of {split!r}"
            for split, count in blank.items()
        )

    def documents(self, split: str) -> Sequence[str]:
        """The texts of a split; copies them on the first call.

        Raises:
          ValueError: no such split or Task, or a Task without texts.
        """
        check_split(cast(Corpus, self), split)  # its names are class variables here
        folder = self._prepare()
        return open_part(
            self.name,
            f"the SeqIO Task {self.task!r}",
            parts(self.name, self.train, self.validation)[split],
            lambda name: _prepared.open_split(folder, name),
        )

    def _prepare(self) -> Path:
        self.check()
        from ._seqio_builder import prepare

        read = parts(self.name, self.train, self.validation)
        splits = dict.fromkeys(part.split for part in read.values())
        return prepare(self.task, self.feature, list(splits), user_folder() / "seqio")


CORPUS = SeqioTask

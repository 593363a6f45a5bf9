"""What a way of asking is: the keys of its rows, its forms, and two functions."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from ...objectives.errors import UsageError, require_unicode
from ...objectives.example import Example
from .asked import AskedModel
from .settings import Settings
from .trained_forms import Form
from .writing import Listen

Row = Mapping[str, Any]
"""The keys of one question, as a line of JSON has them."""


class Answer(NamedTuple):
    """An answer.

    Attributes:
      fields: of the line of JSON.
      form: in which the model was asked.
      example: the question with its answer, as the model saw both; None where it takes
        many Examples.
      log_probabilities: of the predictions of `example`, in nats, where they are not
        those that the model gives it as it stands.
    """

    fields: Mapping[str, Any]
    form: Form
    example: Example | None = None
    log_probabilities: Float32[np.ndarray, " n"] | None = None

    @property
    def text(self) -> str:
        """The text of the answer, if it is one."""
        return self.fields["text"]

    def line(self) -> dict[str, Any]:
        """The answer as a line of JSON has it, with numbers rounded."""
        fields = {
            name: _rounded(value, 6 if name == "continues" else 4)
            for name, value in self.fields.items()
        }
        return {"form": self.form, **fields}


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, list):
        return [_rounded(each, digits) for each in value]
    return round(value, digits) if isinstance(value, float) else value


_OF_ALL = frozenset({"form", "untrained"})
"""Settings that concern every mode."""


class Mode(NamedTuple):
    """A way of asking.

    Attributes:
      name: on the command line.
      about: what it does, in a line.
      keys: of a row, each a text.
      forms: that it can ask in, the best first.
      ask: `(model, row, number, form, settings) -> question`; raises UsageError for a
        row that cannot be asked. It computes nothing.
      answer: `(model, questions, form, settings, listen) -> answers`, of at most
        `model.batch_rows` questions.
      reads: settings that concern it, besides those that concern all.
      read_by: the forms that read a setting, where not all of them do.
    """

    name: str
    about: str
    keys: tuple[str, ...]
    forms: tuple[Form, ...]
    ask: Callable[[AskedModel, Row, int, Form, Settings], Any]
    answer: Callable[
        [AskedModel, Sequence[Any], Form, Settings, Listen | None], list[Answer]
    ]
    reads: frozenset[str] = frozenset()
    read_by: Mapping[str, tuple[Form, ...]] = MappingProxyType({})

    def unread(self, given: Iterable[str]) -> list[str]:
        """The settings among those given that concern other modes only."""
        return [name for name in given if name not in self.reads | _OF_ALL]


def require_read(mode: Mode, form: Form, given: Collection[str]) -> None:
    """Refuses settings that the mode, asked in this form, would ignore.

    Raises:
      UsageError: one of the given names; the message gives what is read instead.
    """
    for name in mode.unread(given):
        raise UsageError(
            f"mode {mode.name!r} does not read {name!r}; it reads "
            + (", ".join(sorted(mode.reads)) or "no setting")
        )
    for name in given:
        forms = mode.read_by.get(name, mode.forms)
        if form not in forms:
            raise UsageError(
                f"mode {mode.name!r} asked as {form!r} does not read {name!r}; take it "
                f"out, or ask as {' or '.join(map(repr, forms))} (--form)."
            )


DRAWN = frozenset({"temperature", "top_k", "top_p", "seed"})
"""Settings of modes that draw tokens."""


def text_of(row: Row, key: str) -> str:
    """A text of a row.

    Raises:
      UsageError: the row lacks it, or it is no text.
    """
    if key not in row:
        raise UsageError(
            f"the key {key!r} is missing; the row has {', '.join(row) or 'none'}."
        )
    if not isinstance(row[key], str):
        raise UsageError(f"{key!r} is {row[key]!r}; give a text.")
    return require_unicode(key, row[key])

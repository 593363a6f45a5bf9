"""How a question is answered: what is drawn, in which order, and where it ends."""

import dataclasses
from typing import Literal

from ...models.decoding.filling import Order
from ...models.decoding.samplers import Sampler, greedy, sampled
from ...objectives.errors import (
    UsageError,
    require_count,
    require_flag,
    require_number,
    require_seed,
    require_unicode,
)

Ended = Literal["eos", "stop", "length"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of an answer; each mode reads those that concern it.

    Attributes:
      temperature: of the draw; None, with no `top_k` and `top_p`, takes the most
        probable token each time.
      top_k: how many of the most probable tokens are drawn from; None for all.
      top_p: the probability of the nucleus that is drawn from; None for all.
      seed: of the draws. Those of a row depend on it and the row's number alone.
      stop: texts that end a continuation; they are not part of it.
      max_tokens: most tokens of an answer.
      order: in which marked tokens are filled.
      per_pass: marked tokens that a pass of the model fills at least.
      threshold: a pass also fills every marked token, in order, that is at least so
        probable; None for no more than `per_pass`.
      drafts: tokens that a causal continuation drafts from masks and verifies at a
        time; 0 writes one token a pass.
      form: in which to ask; None for the best that was trained.
      untrained: whether a form that was never trained is allowed.
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    order: Order = "certain"
    per_pass: int = 1
    threshold: float | None = None
    drafts: int = 0
    form: str | None = None
    untrained: bool = False

    def __post_init__(self):
        require_seed("seed", self.seed)
        require_count("max_tokens", self.max_tokens)
        require_count("per_pass", self.per_pass)
        require_count("drafts", self.drafts, least=0)
        require_flag("untrained", self.untrained)
        for name in ("temperature", "top_p", "threshold"):
            if getattr(self, name) is not None:
                require_number(name, getattr(self, name))
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise UsageError(
                f"threshold is {self.threshold}; it is a probability, so set it above "
                "0 and at most 1."
            )
        self._check_stop()
        _ = self.sampler

    def _check_stop(self) -> None:
        """Refuses stop texts that are none."""
        if isinstance(self.stop, str):
            raise UsageError(f"stop is {self.stop!r}; write a tuple, ({self.stop!r},).")
        listed = self.stop if isinstance(self.stop, tuple | list) else [None]
        if not all(isinstance(text, str) for text in listed):
            raise UsageError(
                f"stop is {self.stop!r}; give a tuple of texts, ('.',), or ()."
            )
        for text in self.stop:
            require_unicode("stop", text)
        if "" in self.stop:
            raise UsageError(
                "a stop text is empty, which would end every answer before it begins; "
                "give texts of at least one character."
            )

    @property
    def sampler(self) -> Sampler:
        """How a token is chosen.

        Raises:
          UsageError: a setting out of range.
        """
        if self.temperature is None and self.top_k is None and self.top_p is None:
            return greedy
        return sampled(
            temperature=1.0 if self.temperature is None else float(self.temperature),
            top_k=self.top_k,
            top_p=1.0 if self.top_p is None else float(self.top_p),
        )

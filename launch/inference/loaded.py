"""A trained run as Python sees it: asked, read from, and trained on."""

import dataclasses
import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from flax import nnx
from jaxtyping import Float32, PyTree

from ...models.build import Model
from ...models.rows import Batch, RowShape
from ...objectives.causal import left_to_right
from ...objectives.errors import UsageError, nearest, require_unicode
from ...objectives.example import Example, in_place
from ...tasks.examples.mixture import Mixture
from ...tasks.rows.layout import layout
from ...tasks.rows.packing import collate
from ...tasks.tokens.vocabulary import Vocabulary
from ..training.mesh import MeshShape
from ..training.program import program_of
from ..training.steps import Training, batches, training_of
from .asked import BATCH_ROWS, AskedModel
from .mode import Answer, Row, require_read
from .modes import MODES
from .open import load_trained, run_config
from .settings import Settings
from .trained_forms import choose_form


class TextLikelihood(NamedTuple):
    """The log-likelihood of a text, in nats.

    Attributes:
      total: the sum over its tokens.
      per_token: of each token.
    """

    total: float
    per_token: Float32[np.ndarray, " N"]


class LoadedRun:
    """A run, made by `load`.

    Attributes:
      run_dir: its folder.
      step: of the checkpoint.
      model: with the checkpoint's parameters, a Flax NNX module.
      mixture: that it was trained on.
      rows: capacities of a row in training.
      vocabulary: text to ids and back.
    """

    def __init__(self, run_dir: Path, *, batch_rows: int = BATCH_ROWS):
        """Reads the run's config and its newest sound checkpoint."""
        trained = load_trained(run_dir)
        self.run_dir = run_dir
        self.step: int = trained.step
        self.model: Model = trained.model
        self.mixture: Mixture = trained.mixture
        self.rows: RowShape = trained.rows
        self.asked = AskedModel(trained, batch_rows=batch_rows)
        self.vocabulary: Vocabulary = self.asked.vocab

    def ask(self, rows: Sequence[Row], *, mode: str, **settings: Any) -> list[Answer]:
        """Asks in any mode of `sightline generate`.

        Args:
          rows: each with the keys of the mode.
          mode: "continue", "fill", "masks", "restore", "pairs" or "likelihood".
          settings: of `Settings`: temperature, top_k, top_p, seed, stop, max_tokens,
            order, per_pass, threshold, drafts, form, untrained.

        Raises:
          UsageError: an unknown mode or setting, a mode that the mixture never
            trained, or a row that cannot be asked.
        """
        if mode not in MODES:
            raise UsageError(f"no mode {mode!r}; {nearest(mode, MODES)}")
        known = {field.name for field in dataclasses.fields(Settings)}
        for name in settings:
            if name not in known:
                raise UsageError(f"no setting {name!r}; {nearest(name, known)}")
        told = Settings(**settings)
        asking = MODES[mode]
        form = choose_form(
            self.asked.forms,
            asking.forms,
            mode=mode,
            mixture=self.mixture.name,
            asked=told.form,
            untrained=told.untrained,
        )
        changed = [n for n in settings if getattr(told, n) != getattr(Settings(), n)]
        require_read(asking, form, changed)
        questions = [
            asking.ask(self.asked, row, number, form, told)
            for number, row in enumerate(rows)
        ]
        size = self.asked.batch_rows
        return [
            answer
            for first in range(0, len(questions), size)
            for answer in asking.answer(
                self.asked, questions[first : first + size], form, told, None
            )
        ]

    def generate(self, prompts: Sequence[str], **settings: Any) -> list[str]:
        """Goes on writing after each prompt; settings are those of `ask`."""
        rows = [{"prompt": prompt} for prompt in _listed("prompts", prompts)]
        return [answer.text for answer in self.ask(rows, mode="continue", **settings)]

    def log_likelihood(
        self, texts: Sequence[str], **settings: Any
    ) -> list[TextLikelihood]:
        """Log-likelihood of each text: causal, or by masks (`form="masked"`)."""
        rows = [{"text": text} for text in _listed("texts", texts)]
        answers = self.ask(rows, mode="likelihood", **settings)
        return [
            TextLikelihood(
                answer.fields["log_likelihood"],
                np.array([p for _, p in answer.fields["per_token"]], np.float32),
            )
            for answer in answers
        ]

    def hidden(
        self, texts: Sequence[str], *, sight: Literal["past", "both"] | None = None
    ) -> list[Float32[np.ndarray, "N D"]]:
        """Hidden states of each token of each text, after the final norm.

        Args:
          texts: that fit a row.
          sight: "past" reads a text as causal training does, "both" as the inputs of
            the other objectives, in an encoder–decoder by the encoder; None takes
            "past" where causal training is all there is.

        Raises:
          UsageError: another sight, one text instead of a list, or one that does not
            fit a row.
        """
        if sight is None:
            sight = "past" if set(self.asked.forms.objectives) == {"causal"} else "both"
        if sight not in ("past", "both"):
            raise UsageError(f"sight is {sight!r}; {nearest(sight, ('past', 'both'))}")
        listed = _listed("texts", texts)
        tokens = [self.vocabulary.encode(require_unicode("text", t)) for t in listed]
        examples = [_read(each, sight, self.vocabulary) for each in tokens]
        states = []
        for each, example in zip(tokens, examples, strict=True):
            self.asked.require_fits(example, "the text")
            placed = layout(self.asked.rows, bos=self.asked.ids.bos)(example)
            hidden = _hidden(
                *nnx.split(self.model), collate([[placed]], self.asked.rows)
            )
            rows = hidden.decoder
            if sight == "both" and hidden.encoder is not None:
                rows = hidden.encoder
            first = int(sight == "past")  # behind BOS
            states.append(np.asarray(rows[0, first : first + len(each)], np.float32))
        return states

    def batches(self, *, seed: int = 0, batch_rows: int = 8) -> Iterator[Batch]:
        """Training batches of the run's mixture without end (`sightline.batches`)."""
        return batches(self.mixture, self.rows, batch_rows=batch_rows, seed=seed)

    def training(self, *, batch_rows: int = 8) -> Training:
        """The run's train step, to take on batches, and a state to begin from.

        The state holds the checkpoint's parameters and a fresh optimiser; the schedule
        begins at its first step.

        Args:
          batch_rows: B, of the batches; a multiple of the devices.
        """
        settings = run_config(self.run_dir).arguments("train", run_dir="", config="")
        overrides = {"mesh": MeshShape(data=-1), "microbatches": 1}
        program = program_of({**settings, **overrides, "batch_rows": batch_rows})
        return training_of(program, self.mixture, params=nnx.state(self.model))


def load(run_dir: str | os.PathLike[str], *, batch_rows: int = BATCH_ROWS) -> LoadedRun:
    """Opens a run that `sightline train` made, or `sightline import`.

    Args:
      run_dir: its folder.
      batch_rows: rows that are asked together.

    Raises:
      UsageError: the folder holds no run, or no checkpoint; or the run's vocabulary is
        no longer what it was.
    """
    return LoadedRun(Path(run_dir), batch_rows=batch_rows)


def _listed(name: str, texts: Sequence[str]) -> Sequence[str]:
    """The texts, which one text is not: its letters would be asked one by one."""
    if isinstance(texts, str):
        raise UsageError(f"{name} is the text {texts!r}; give a list, [{texts!r}].")
    return texts


def _read(tokens: np.ndarray, sight: str, vocab: Vocabulary) -> Example:
    """A text as it is read, nothing of it predicted in earnest."""
    if sight == "past":
        return left_to_right(np.append(tokens, np.int32(vocab.special_ids.eos)))
    none = np.zeros(len(tokens))
    return in_place(
        0, tokens, positions=1 + np.arange(len(tokens)), targets=none, weights=none
    )


@functools.partial(jax.jit, static_argnums=0)
def _hidden(graph: nnx.GraphDef, params: PyTree, batch: Batch):
    model: Model = nnx.merge(graph, params)
    return model(batch)

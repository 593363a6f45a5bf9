"""A toy language whose topics and order are learnt in seconds, and models of it.

A document keeps to one topic. Each sentence names it and goes on through the topic's
words, which stand in a circle, from any of them on:

    B B4 B5 B6. B B0 B1 B2. B B3 B4 B5.

The name tells the topic, whatever the order. That a text goes on from another tells
only where the two meet, since no place of a document looks unlike another.
"""

import contextlib
import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from sightline.diagnosis.probes.asking.subject import subject
from sightline.launch.training.optimizers import adamw
from sightline.launch.training.schedules import warmup_cosine
from sightline.launch.training.state import initial_state
from sightline.launch.training.step import make_train_step
from sightline.models.build import build
from sightline.models.config import ModelConfig
from sightline.models.rows import Batch, decoder_rows
from sightline.objectives import registry
from sightline.objectives.example import Example
from sightline.objectives.text import Text
from sightline.tasks.rows.batches import batches
from sightline.tasks.tokens.base_tokeniser import BaseTokeniser
from sightline.tasks.tokens.vocabulary import Vocabulary

TOPICS, CIRCLE, WORDS = "ABCDEFGH", 7, 3
"""Names of topics, words of each, and words of a sentence."""

SENTENCES = 12
"""Of a document; each takes `WORDS + 2` tokens."""

PIECES = [".", *TOPICS, *(f"{name}{n}" for name in TOPICS for n in range(CIRCLE))]
FIRST = 2
"""The first piece's id, after pad and EOS."""

SHAPE = decoder_rows(slots=64, predictions=64)
BATCH_ROWS, POOL, STEPS, PEAK = 8, 64, 400, 3e-3
"""Batches of the pool are taken in turn."""

CONFIG = ModelConfig(
    layers=2,
    d_model=64,
    heads=4,
    kv_heads=4,
    head_dim=16,
    d_hidden=128,
    compute_dtype="float32",
)


def _encode(text: str) -> list[int]:
    return [FIRST + PIECES.index(piece) for piece in re.findall(r"\w+|\.", text)]


def _spell(id_: int) -> str:
    piece = PIECES[id_ - FIRST]
    return piece if piece == "." else f" {piece}"


def _decode(ids, follows: bool) -> str:
    said = "".join(_spell(id_) for id_ in ids if id_ >= FIRST)
    return said if follows else said.lstrip()


def seen_elsewhere(examples):
    """Answers of a model that likes a token the better the more often it sees it."""
    found = []
    for e in examples:
        answers = []
        for target in e.inputs_targets[e.inputs_weights > 0]:
            answers.append(float((e.inputs == target).sum()))
        for at in np.flatnonzero(e.targets_weights):
            seen = np.concatenate([e.inputs, e.targets[:at]])
            answers.append(float((seen == e.targets[at]).sum()))
        found.append(np.array(answers))
    return found


class Toy(NamedTuple):
    """The language.

    Attributes:
      vocab: its vocabulary.
      texts: documents that models are trained on.
      unseen: documents that they are not.
      documents: tokens of `texts`, EOS included.
    """

    vocab: Vocabulary
    texts: list[str]
    unseen: list[str]
    documents: list[np.ndarray]

    def __repr__(self) -> str:
        """Short, as Hypothesis shows it with every failure."""
        return "Toy"

    def examples(self, recipe, *, seed: int = 0) -> Iterator[Example]:
        """Examples of each `(objective, sentences of a window)` in turn."""
        rng = np.random.default_rng(seed)
        while True:
            for objective, sentences in recipe:
                text = self._window(rng, sentences * (WORDS + 2))
                yield objective(text, rng, self.vocab.special_ids)

    def _window(self, rng: np.random.Generator, size: int) -> Text:
        """Whole sentences; the other documents are of other topics."""
        document = self._draw(rng)
        start = int(rng.choice(np.arange(0, len(document) - size, WORDS + 2)))

        def other(rng: np.random.Generator) -> np.ndarray:
            while (found := self._draw(rng))[0] == document[0]:
                continue
            return found

        return Text(document, start, start + size, other)

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        return self.documents[int(rng.integers(len(self.documents)))]


class Documents(NamedTuple):
    """A corpus of lists."""

    train: list[str]
    validation: list[str]
    name: str = "toy"
    splits: tuple[str, ...] = ("train", "validation")
    vocabulary: str = "toy"

    def check(self) -> None:
        """Nothing is missing."""

    def identity(self) -> str:
        return "toy"

    def documents(self, split: str) -> list[str]:
        return self.train if split == "train" else self.validation


def _texts(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)

    def text() -> str:
        name, start = TOPICS[int(rng.integers(len(TOPICS)))], int(rng.integers(CIRCLE))
        said = [f"{name}{(start + n) % CIRCLE}" for n in range(WORDS * SENTENCES)]
        groups = [said[n : n + WORDS] for n in range(0, len(said), WORDS)]
        return " ".join(f"{' '.join([name, *group])}." for group in groups)

    return [text() for _ in range(count)]


@pytest.fixture(scope="session")
def toy() -> Toy:
    base = BaseTokeniser(
        size=FIRST + len(PIECES),
        control={"pad": 0, "eos": 1},
        unk=None,
        text_ids=range(FIRST, FIRST + len(PIECES)),
        spell=_spell,
        first_byte=lambda id_: _spell(id_).encode()[0],
        encode=_encode,
        decode=_decode,
        content=b"toy",
    )
    vocab, texts = Vocabulary("toy", base), _texts(200, seed=0)
    documents = [vocab.encode_document(text) for text in texts]
    return Toy(vocab, texts, _texts(120, seed=1), documents)


@pytest.fixture(scope="session")
def corpus(toy) -> Documents:
    return Documents(toy.texts, toy.unseen)


def fresh(vocab: Vocabulary, seed: int = 0):
    """An untrained model of the toy vocabulary."""
    rngs = nnx.Rngs(params=seed)
    return build(CONFIG, vocabulary_size=vocab.size, shape=SHAPE, rngs=rngs)


@functools.partial(jax.jit, static_argnames="graph")
def _trained(graph: nnx.GraphDef, params, pool: Batch, shares: jax.Array):
    """Parameters after `STEPS` of the real steps, of one program for all models."""
    optimizer = adamw(warmup_cosine(PEAK, warmup_steps=20, steps=STEPS))
    step = make_train_step(
        graph, optimizer, microbatches=1, clip_norm=1.0, normalisation="objective"
    )

    def one(state, number):
        batch = jax.tree.map(lambda x: x[number % POOL], pool)
        return step(state, batch, shares)[0], None

    start = initial_state(params, optimizer)
    return jax.lax.scan(one, start, jnp.arange(STEPS))[0].params


@pytest.fixture(scope="session")
def train(toy):
    """`train(examples)`: a model trained on them; objectives share the loss alike."""

    def trained(examples: Iterator[Example], *, seed: int = 0):
        ids, size = toy.vocab.special_ids, toy.vocab.size
        made = batches(
            examples, SHAPE, batch_rows=BATCH_ROWS, ids=ids, vocabulary_size=size
        )
        some = list(itertools.islice(made, POOL))
        used = [b.decoder.objective_ids[b.decoder.loss_weights > 0] for b in some]
        objectives = np.unique(np.concatenate(used))
        shares = np.zeros(registry.CAPACITY, np.float32)
        shares[objectives] = 1 / len(objectives)
        pool = jax.tree.map(lambda *x: jnp.asarray(np.stack(x)), *some)
        graph, params = nnx.split(fresh(toy.vocab, seed))
        with in_full():
            params = _trained(graph, params, pool, jnp.asarray(shares))
        return nnx.merge(graph, params)

    return trained


@contextlib.contextmanager
def in_full():
    """Compiles as `optimised` tests do: here running takes longer than compiling."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", False)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="session")
def untrained(toy):
    return fresh(toy.vocab)


@pytest.fixture(scope="session")
def probed(toy) -> Callable:
    """`probed(model, trained, mode=None)`: the model as probes see it."""
    return lambda model, trained, **asked: subject(
        model, SHAPE, toy.vocab, trained=trained, **asked
    )


@pytest.fixture(scope="session")
def causal(toy, train):
    """A model that was trained to go on."""
    return train(toy.examples([(registry.get("causal"), 6)]))

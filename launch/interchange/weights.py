"""One weight under our name and shape, and under Hugging Face's."""

import collections
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from ...objectives.errors import UsageError
from .safetensors import DTYPES, Tensor, read

Shape = tuple[int, ...]

LAYER = "{layer}"
"""Where a name of theirs holds the number of its layer."""


class Weight(NamedTuple):
    """How an array of ours corresponds to theirs.

    Their matrices are [outputs, inputs], ours [inputs, outputs] with heads apart:
    [D, H, K] is their [H·K, D]. Ours of all layers are one array with a leading axis L;
    theirs are L tensors.

    Attributes:
      ours: its name in the model, "layers.attention.query".
      theirs: the name of the tensor, with `LAYER` if there is one a layer.
      inputs: how many leading dimensions of a layer's array are inputs of the product;
        0 for what is not transposed, such as tables and norms.
    """

    ours: str
    theirs: str
    inputs: int = 0

    @property
    def stacked(self) -> bool:
        """Whether it has one tensor a layer."""
        return LAYER in self.theirs

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Their tensors, in the order of layers, and the shape of each.

        Args:
          shape: of our array.
        """
        if not self.stacked:
            return {self.theirs: self._their_shape(shape)}
        their_shape = self._their_shape(shape[1:])
        names = (self.theirs.replace(LAYER, str(n)) for n in range(shape[0]))
        return dict.fromkeys(names, their_shape)

    def _their_shape(self, shape: Shape) -> Shape:
        if not self.inputs:
            return shape
        return math.prod(shape[self.inputs :]), math.prod(shape[: self.inputs])

    def take(
        self, tensors: Mapping[str, Tensor], shape: Shape
    ) -> Float32[np.ndarray, "..."]:
        """Our array, read from their tensors one by one."""
        array = np.empty(shape, np.float32)
        layers = array if self.stacked else array[None]
        names = self.tensors(shape)
        for layer, name in zip(layers, names, strict=True):
            values = read(tensors[name])
            turned = values.T if self.inputs else values
            layer[...] = turned.reshape(layer.shape)
        return array

    def give(self, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Their tensors by name, from our array."""
        layers = array if self.stacked else array[None]
        for (name, shape), layer in zip(
            self.tensors(array.shape).items(), layers, strict=True
        ):
            flat = layer.reshape(shape[::-1]).T if self.inputs else layer
            yield name, flat


def check_tensors(
    tensors: Mapping[str, Tensor],
    weights: Sequence[Weight],
    shapes: Mapping[str, Shape],
    *,
    known: Sequence[str],
) -> None:
    """Compares the tensors of a folder with what its config.json calls for.

    Args:
      tensors: of the folder.
      weights: of the family.
      shapes: of our arrays, by name.
      known: their other tensors, which hold nothing that is needed.

    Raises:
      UsageError: one is missing, of another shape, or not known.
    """
    wanted: dict[str, Shape] = {}
    for weight in weights:
        wanted |= weight.tensors(shapes[weight.ours])
    wrong = [f"{name} is missing" for name in wanted if name not in tensors]
    wrong += [
        f"{name} is {list(tensors[name].shape)}, and config.json calls for "
        f"{list(shape)}"
        for name, shape in wanted.items()
        if name in tensors and tensors[name].shape != shape
    ]
    surplus = [n for n in tensors if n not in wanted and not _is_known(n, known)]
    wrong += [f"{name} has no place in such a model" for name in surplus]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise UsageError(
            f"config.json and the tensors disagree: {'; '.join(wrong[:3])}{more}. "
            "Give the config.json and all files of one model."
        )


def _is_known(name: str, known: Sequence[str]) -> bool:
    return any(name.endswith(ending) for ending in known)


def dtype_of(tensors: Mapping[str, Tensor]) -> str:
    """The type that most of the tensors are stored in."""
    counts = collections.Counter(tensor.dtype for tensor in tensors.values())
    return counts.most_common(1)[0][0]


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two matrices are the same, bit for bit."""
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    bits = np.dtype(f"u{DTYPES[one.dtype].itemsize}")
    pairs = zip(read(one), read(other), strict=True)
    return all(np.array_equal(a.view(bits), b.view(bits)) for a, b in pairs)

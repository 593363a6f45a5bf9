"""Initial values of parameters."""

import math

import jax
import jax.numpy as jnp
from flax import nnx


def fan_in(
    rngs: nnx.Rngs,
    shape: tuple[int, ...],
    axes: tuple[str, ...],
    *,
    inputs: int,
    gain: float = 1.0,
) -> nnx.Param:
    """A parameter drawn from a truncated normal of deviation `gain / √inputs`.

    What each kind of parameter gets, once for the project. The normal is cut at two
    of its deviations and rescaled to the deviation stated:

    - a matrix: 1/√(fan-in), the fan-in being every dimension that it sums over, so
      that unit inputs give unit outputs;
    - the matrices that write to the residual stream (attention output, MLP down):
      1/√(fan-in · N), N the number of such matrices in the stack, so that the stream
      keeps its scale at any depth (GPT-2, section 2.3);
    - the query matrix when positions are T5's: 1/√(fan-in · K), because T5 divides
      no score by √K (T5, mesh-tensorflow);
    - the embedding table, and the output table where it is another: 1/√D. Neither is
      multiplied by anything on its way in or out. Hidden states leave the final norm
      with mean square 1, so logits start with a deviation of about 1 and the loss about
      half a nat above ln V. Smaller tables start nearer and learn slower (one seed,
      150 steps of bytes: 1.95 nats, against 2.08 at half the deviation and 1.95 with
      Gemma's factor √D on the way in, which starts 3.6 nats above ln V);
    - T5's relative bias: 1/√D; norm scales: one.

    Args:
      rngs: the `params` stream is used.
      shape: of the parameter.
      axes: the logical axis of each dimension (`axes.RULES`).
      inputs: the fan-in.
      gain: multiplies the deviation.
    """
    # A unit normal cut at ±2 has this deviation.
    deviation = gain / math.sqrt(inputs) / 0.87962566103423978
    value = jax.random.truncated_normal(rngs.params(), -2.0, 2.0, shape, jnp.float32)
    return nnx.Param(value * deviation, axes=axes)

"""Copies of an array that differ."""

import jax
import numpy as np


def flipped(array: jax.Array, *, device: int, bit: int) -> jax.Array:
    """The array with one bit flipped in the copy that a device holds.

    Args:
      array: on several devices.
      device: its id.
      bit: of the part of the array that the device holds.
    """
    buffers = []
    for shard in array.addressable_shards:
        data = np.array(shard.data)
        if shard.device.id == device:
            words = data.reshape(-1).view(np.uint8)
            words[bit // 8] ^= 1 << (bit % 8)
        buffers.append(jax.device_put(data, shard.device))
    return jax.make_array_from_single_device_arrays(
        array.shape, array.sharding, buffers
    )

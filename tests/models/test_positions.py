"""RoPE and T5's relative bias."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from sightline.models.config import ModelConfig
from sightline.models.relative_bias import RelativeBias, bucket_of_distance
from sightline.models.rope import frequencies, rotate, rotation


def t5_bucket(distance: int, direction: str, buckets: int, max_distance: int) -> int:
    """T5's formula, one distance at a time, with exact powers for its logarithm."""
    bucket, away = 0, -distance
    if direction == "both":
        buckets //= 2
        bucket = buckets if distance > 0 else 0
        away = abs(distance)
    away = max(away, 0)
    exact = buckets // 2
    if away < exact:
        return bucket + away
    large = exact
    while (
        large < buckets - 1
        # away ≥ exact · (max/exact)^((large + 1 - exact) / (buckets - exact))
        and (away / exact) ** (buckets - exact) * (1 + 1e-9)
        >= (max_distance / exact) ** (large + 1 - exact)
    ):
        large += 1
    return bucket + large


@pytest.mark.parametrize("direction", ["both", "past"])
@pytest.mark.parametrize(("buckets", "max_distance"), [(32, 128), (8, 20), (16, 100)])
def test_buckets_are_t5s(direction, buckets, max_distance):
    found = bucket_of_distance(
        buckets=buckets, max_distance=max_distance, direction=direction
    )
    wanted = [
        t5_bucket(d, direction, buckets, max_distance)
        for d in range(-max_distance, max_distance + 1)
    ]
    assert found.tolist() == wanted


def test_known_buckets_of_t5():
    """Edges of its 32 bidirectional buckets: 8, 16, 32 and 64 start a bucket."""
    both = bucket_of_distance(buckets=32, max_distance=128, direction="both")
    at = {d: int(both[d + 128]) for d in (-7, -8, -15, -16, -32, -64, -128, 0, 1, 128)}
    assert at == {-7: 7, -8: 8, -15: 9, -16: 10, -32: 12, -64: 14, -128: 15, 0: 0,
                  1: 17, 128: 31}  # fmt: skip


@pytest.mark.parametrize("direction", ["both", "past"])
def test_the_bias_of_a_pair_is_its_buckets_row(direction):
    config = ModelConfig(
        layers=1, d_model=8, heads=2, kv_heads=2, head_dim=4, d_hidden=8,
        position="relative_bias", relative_buckets=8, relative_max_distance=20,
    )  # fmt: skip
    bias = RelativeBias(config, nnx.Rngs(0), direction=direction)
    queries = np.array([[0, 5, 40], [3, 3, 1]], np.int32)
    keys = np.array([[0, 7, 100, 2], [1, 2, 3, 4]], np.int32)
    found = bias(queries, keys).array()
    for b, h, t, s in np.ndindex(2, 2, 3, 4):
        distance = int(keys[b, s] - queries[b, t])
        bucket = t5_bucket(distance, direction, 8, 20)
        assert found[b, h, t, s] == bias.table[bucket, h]


def test_rope_turns_pairs_by_position_over_wavelength():
    x = np.random.default_rng(0).normal(size=(1, 3, 2, 8)).astype(np.float32)
    positions = np.array([[0, 7, 3]], np.int32)
    config = ModelConfig(
        layers=1, d_model=8, heads=2, kv_heads=2, head_dim=8, d_hidden=8,
        rope_theta=100.0,
    )  # fmt: skip
    found = rotate(jnp.asarray(x), rotation(positions, config), scale=0.5)
    for t, h, i in np.ndindex(3, 2, 4):
        angle = positions[0, t] * 100.0 ** (-2 * i / 8)
        first, second = x[0, t, h, i], x[0, t, h, i + 4]
        wanted = (
            first * math.cos(angle) - second * math.sin(angle),
            second * math.cos(angle) + first * math.sin(angle),
        )
        np.testing.assert_allclose(
            found[0, t, h, [i, i + 4]], 0.5 * np.array(wanted), atol=1e-6
        )


def test_llama_3_slows_the_slow_frequencies():
    """Each pair by itself, as the paper's source does it, with its own numbers."""
    sizes = dict(layers=1, d_model=8, heads=1, kv_heads=1, head_dim=64, d_hidden=8)
    scaled = ModelConfig(
        **sizes, rope_theta=500_000.0, rope_factor=8.0, rope_original_context=8192
    )
    found = np.asarray(frequencies(scaled))
    kinds = set()
    for pair in range(32):
        plain = 500_000.0 ** (-2 * pair / 64)
        turns = 8192 * plain / (2 * math.pi)
        share = (turns - 1.0) / (4.0 - 1.0)
        kinds.add("kept" if turns > 4 else "divided" if turns < 1 else "between")
        wanted = plain / 8 if turns < 1 else plain
        if 1 <= turns <= 4:
            wanted = share * plain + (1 - share) * plain / 8
        np.testing.assert_allclose(found[pair], wanted, rtol=2e-6)
    assert kinds == {"kept", "between", "divided"}

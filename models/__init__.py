"""Models: a decoder and an encoder–decoder that read rows. JAX and Flax NNX."""

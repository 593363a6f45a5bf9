"""TensorFlow as a reader of text: quiet, and off the accelerators."""

import os


def load() -> None:
    """Imports TensorFlow so that it takes no accelerator away from jax.

    By itself it reserves nearly all memory of every GPU it sees. What it logs about
    devices that it does not find, or is not to use, is kept out of the terminal;
    Python exceptions are not.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    for kind in ("GPU", "TPU"):
        tf.config.set_visible_devices([], kind)

"""TensorFlow as a reader of text, off the accelerators."""


def load() -> None:
    """Imports TensorFlow so that it takes no accelerator away from jax.

    By itself it reserves nearly all the memory of every GPU that it sees. It must be
    told before it is used for the first time. (TensorFlow 2.21 logs a few lines about
    devices to stderr as it loads; no setting of it keeps them back.)
    """
    import tensorflow as tf

    for kind in ("GPU", "TPU"):
        tf.config.set_visible_devices([], kind)

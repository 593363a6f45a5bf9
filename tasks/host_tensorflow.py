"""TensorFlow as a reader of text, on the host only."""


def load() -> None:
    """Imports TensorFlow so that it takes no accelerator away from JAX.

    By default it reserves nearly all the memory of every visible GPU, which must be
    changed before its first use. (TensorFlow 2.21 logs a few lines about devices to
    stderr as it loads; no setting suppresses them.)
    """
    import tensorflow as tf

    for kind in ("GPU", "TPU"):
        tf.config.set_visible_devices([], kind)

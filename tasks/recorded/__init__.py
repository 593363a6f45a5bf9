"""Rows on disk, the same for any number of hosts; serving them needs no TensorFlow."""

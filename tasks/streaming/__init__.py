"""Training batches straight from the corpora, made outside the trainer's process."""

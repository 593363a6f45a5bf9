"""Opens what a run has trained, to probe it."""

"""Which failures a model has: what reviewers counted, main scores, severity."""

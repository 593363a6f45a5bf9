"""What a mixture asks of a model."""

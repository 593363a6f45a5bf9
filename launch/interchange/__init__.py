"""Models in from Hugging Face's folders, and out: weights, config, tokeniser, card."""

"""Tokens to Examples: mixtures, windows, streams."""

"""Objectives: pure functions from a window of text to an Example. NumPy only."""

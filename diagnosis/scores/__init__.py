"""Scores of probes, with their intervals."""

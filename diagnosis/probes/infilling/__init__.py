"""Probes for text filled in that contradicts what comes after it."""

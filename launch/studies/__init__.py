"""Trains mixtures side by side at equal tokens and probes each."""

"""Probes for unfaithful reconstruction."""

"""Probes for long-form drift."""

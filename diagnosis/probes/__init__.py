"""Probes of a trained model for each failure: scores with chance and intervals."""

"""Probes for incoherent continuation."""

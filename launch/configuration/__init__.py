"""Gin files to checked arguments, and back to text; only here is gin imported."""

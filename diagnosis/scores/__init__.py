"""Scores of probes, counts of reviewers, and how severe a failure is."""

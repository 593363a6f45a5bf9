"""Interval attention: every query slot sees one interval of key slots."""

from .interval import interval_attention as interval_attention

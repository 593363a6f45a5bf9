"""Interval attention: every query slot sees one interval of key slots."""

from .distance_bias import DistanceBias as DistanceBias, Runs as Runs
from .interval import (
    interval_attention as interval_attention,
    shared_bias as shared_bias,
)

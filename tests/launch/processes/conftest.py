"""What tests of many processes share: recorded rows, and the launcher."""

from process_runs import compiled, rows, start

__all__ = ["compiled", "rows", "start"]

"""What studies measured: records, effects, table, curves, and the shipped study."""

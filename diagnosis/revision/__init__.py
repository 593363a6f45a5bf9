"""A revised mixture: rates and loss shares, each with its source."""

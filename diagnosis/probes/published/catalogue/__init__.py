"""One file a published test: its format, where it is had, and figures to compare."""

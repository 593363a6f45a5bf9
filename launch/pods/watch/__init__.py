"""A run as its directory tells of it; nothing is written there."""

"""A configuration on a cluster: planned, submitted, watched."""

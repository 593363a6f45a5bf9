"""A configuration compiled for a cluster that is not there, and what it would cost."""

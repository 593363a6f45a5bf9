"""What a run leaves on disk: its directory, verified checkpoints, metrics."""

"""A training job as a system of machines takes it: rendered, and applied if asked."""

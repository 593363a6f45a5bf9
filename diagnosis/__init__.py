"""Diagnosis: what a model sees, does and lacks, and what follows for a mixture."""

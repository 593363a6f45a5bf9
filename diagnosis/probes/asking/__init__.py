"""Queries to a model in a form that it was trained in, scored in packed rows."""

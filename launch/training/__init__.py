"""Trains one model; knows no gin and no command line."""

"""The generator behind the corpus `policies`: its words, its facts, its checker."""

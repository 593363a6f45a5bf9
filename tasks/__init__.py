"""Corpora, vocabularies, SeqIO tasks and mixtures, packing into rows, serving rows."""

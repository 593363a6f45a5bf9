"""Tables of mixtures and scores: which mixtures to try, and what they predict."""

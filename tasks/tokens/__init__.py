"""Documents to tokens: vocabularies and tokenised corpora."""

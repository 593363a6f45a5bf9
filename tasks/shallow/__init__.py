"""What surface cues give away: bags of words and 5-grams, on any choice of texts."""

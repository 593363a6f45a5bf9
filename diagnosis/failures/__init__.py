"""What can be wrong with generated text: a failure is one file, found by itself."""

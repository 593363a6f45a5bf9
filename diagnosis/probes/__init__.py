"""What a trained model does, failure by failure: scores with chance and intervals."""

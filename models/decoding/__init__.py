"""Writing with a trained model: token by token, in place, and by drafts."""

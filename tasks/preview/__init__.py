"""What the slots of one Example see, ask and predict, as data for display."""

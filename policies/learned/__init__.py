"""What the agent has in its weights: `core` runs the embedded core model, `train` makes it."""

"""Training: the loop, its session and checkpoint, the checks before it."""

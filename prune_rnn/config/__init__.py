"""The keys of a run: what they are, what Hydra composes of them, and the rules that they keep."""

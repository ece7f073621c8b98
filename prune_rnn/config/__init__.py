"""The keys of a run: their schema, their composition by Hydra, and their checks."""

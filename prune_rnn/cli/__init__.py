"""The command line: everything between what a user types and the functions that do the work."""

from prune_rnn.cli.process import main

__all__ = ["main"]

"""Trains recurrent speech networks with gradual pruning, and reports what it cost and gained."""

__version__ = "0.1.0"

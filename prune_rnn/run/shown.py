"""The configuration of a run, for the eye."""

from __future__ import annotations

from omegaconf import OmegaConf

from prune_rnn.config import Config
from prune_rnn.run.resolve import resolve, run_of


def as_yaml(config: Config) -> str:
    """Returns all keys of a run as YAML, with what others fill in, after a comment that names the run's folder."""
    config, _ = resolve(config)
    return f"# {run_of(config).folder}\n{OmegaConf.to_yaml(OmegaConf.structured(config))}"

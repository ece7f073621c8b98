"""A recurrent layer's time steps on a CUDA device as graphs: many kernels, one launch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from prune_rnn.cuda import Replayed
from prune_rnn.model.cell import Cell

CHUNKS = (32, 16, 8, 4, 2, 1)  # steps of a graph: a sequence is cut into these, largest first


class Graphs:
    """A layer's buffers on the device and, there, its graphs: `graphs(x, ...)` runs a whole sequence.

    step(k): reads x[k] and states[k], writes states[k + 1] and replaces memory, always at the same addresses.
    states: (steps + 1, streams, units), outputs. memory: (streams, (vectors - 1) * units), what else a state holds.
    """

    def __init__(self, step: Callable[[Graphs, int], None], streams: int, cell: Cell, units: int, device: torch.device):
        new = partial(torch.zeros, device=device)
        self.x, self.states = new(CHUNKS[0], streams, cell.gates * units), new(CHUNKS[0] + 1, streams, units)
        self.memory = new(streams, (cell.vectors - 1) * units)
        self._step, self._graphs = step, dict[int, Replayed]()

    def _chunk(self, steps: int) -> None:
        for k in range(steps):
            self._step(self, k)

    def replay(self, steps: int) -> None:
        """Computes states[1] to states[steps] from states[0]; steps is one of CHUNKS."""
        if steps not in self._graphs:
            self._graphs[steps] = Replayed(partial(self._chunk, steps), self.x.device)
        self._graphs[steps]()

    def __call__(self, x: Tensor, state: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
        steps = len(x)
        out = self.states.new_empty(steps, *self.states.shape[1:])
        x = x.flip(0) if reverse else x
        units = self.states.shape[2]
        self.states[0] = 0.0 if state is None else state[:, :units]
        self.memory.copy_(torch.zeros_like(self.memory) if state is None else state[:, units:])
        done = 0
        for size in CHUNKS:
            while steps - done >= size:
                part = slice(done, done + size)
                self.x[:size] = x[part]
                self.replay(size)
                out[part] = self.states[1 : size + 1]
                self.states[0] = self.states[size]
                done += size
        return (out.flip(0) if reverse else out), torch.cat([self.states[0], self.memory], dim=1)

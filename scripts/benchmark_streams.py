"""Times callers of one network that are computed together (`Streams`) against one after the other (`Stream` each).

Usage: python scripts/benchmark_streams.py [--callers 1 4 16 64] [--dtypes int8 bfloat16] [--sparsity 0.95] [--rounds 5]

GRU 2560 of random weights and masks, from samples to characters, 20 ms at a time. Printed are seconds of audio per
second, medians of rounds in turn; one network is chosen for the number of callers, the other for a single one.
"""

import argparse
import statistics
from collections.abc import Callable

import torch

from prune_rnn.bench import networks
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.stream import PIECE, Stream
from prune_rnn.deploy.streams import Streams
from prune_rnn.engine.quantise import Dtype
from prune_rnn.engine.timing import in_turn
from prune_rnn.speech.features import SAMPLE_RATE

BEGUN = 2 * SAMPLE_RATE  # samples fed before: past what waits at the beginning


def alone(network: Network, callers: int, noise: torch.Tensor) -> Callable[[], None]:
    streams = [Stream(network) for _ in range(callers)]
    for stream in streams:
        stream.feed(noise[:BEGUN])

    def run() -> None:
        for piece in noise[BEGUN:].split(PIECE):
            for stream in streams:
                stream.feed(piece)

    return run


def together(network: Network, callers: int, noise: torch.Tensor) -> Callable[[], None]:
    streams = Streams(network)
    keys = [streams.open() for _ in range(callers)]
    streams.feed(dict.fromkeys(keys, noise[:BEGUN]))

    def run() -> None:
        for piece in noise[BEGUN:].split(PIECE):
            streams.feed(dict.fromkeys(keys, piece))

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--dtypes", type=Dtype, nargs="+", default=[Dtype.int8, Dtype.bfloat16])
    parser.add_argument("--sparsity", type=float, default=0.95)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    _, variant = networks.random("gru_sparse", "paper", [arguments.sparsity])
    print(f"GRU 2560, {arguments.sparsity:.0%} sparse, {arguments.threads} threads; seconds of audio per second")
    with torch.inference_mode():
        for dtype in arguments.dtypes:
            packed = variant.by_dtype[dtype]
            one = Network(packed, frames=1)
            for callers in arguments.callers:
                pieces = max(5, 50 // callers)
                noise = 0.1 * torch.randn(BEGUN + pieces * PIECE, generator=torch.Generator().manual_seed(0))
                many = Network(packed, frames=1, streams=callers)
                work = [alone(one, callers, noise), together(many, callers, noise)]
                audio = callers * pieces * PIECE / SAMPLE_RATE
                apart, joint = (audio / statistics.median(s) for s in in_turn(work, arguments.rounds, 0.0, 0.1))
                rates = f"one after the other {apart:5.1f}, together {joint:5.1f}: {joint / apart:.2f} times"
                print(f"{dtype.value:8} {callers:3} callers: {rates}", flush=True)


if __name__ == "__main__":
    main()

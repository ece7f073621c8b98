"""An opponent: a library, its versions, and how it computes a product, a sparse product and a layer."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import Any, ClassVar

from prune_rnn.bench.job import Job, Layer, Product
from prune_rnn.engine.quantise import Dtype


@dataclass(frozen=True, slots=True)
class Baseline:
    """One way to do a job without the engine; each call of `run` computes the result anew.

    dtype: of the weights in the product. weights: their name in the table where dtype has none for them; it then stands
    for the rounding. exact: the result is the job's, up to the rounding of dtype; otherwise it does a little less work,
    and its time is a lower bound. `run` returns a torch tensor or numpy array, which the next call may overwrite.
    Weights are packed, vectors laid out and graphs compiled before the first call.
    """

    name: str
    dtype: Dtype
    run: Callable[[], Any]
    exact: bool = True
    weights: str = ""

    @property
    def type_name(self) -> str:
        """The type of the weights, as the table has it."""
        return self.weights or self.dtype.value


class Opponent(ABC):
    """A library that a user would run instead of the engine. It overrides the methods for what it can compute."""

    packages: ClassVar[tuple[str, ...]]  # names of what it needs, as they are imported
    device: ClassVar[str] = "cpu"  # cpu or cuda

    def missing(self) -> list[str]:
        """Returns the packages that it needs and that aren't installed."""
        return [name for name in self.packages if find_spec(name) is None]

    def versions(self) -> dict[str, str]:
        """Returns the versions of its packages, of those installed."""
        return {name: metadata.version(name) for name in self.packages if name not in self.missing()}

    def products(self, job: Product) -> Iterable[Baseline]:
        """Yields its dense products: it multiplies with the zeros too. Results: (streams, rows)."""
        return ()

    def sparse_products(self, job: Product) -> Iterable[Baseline]:
        """Yields its products with a sparse matrix. Results: (streams, rows)."""
        return ()

    def layers(self, job: Layer) -> Iterable[Baseline]:
        """Yields its dense recurrent layers. Results: (steps, streams, units), or another shape of the same size.

        States and gates are float32 everywhere. A library layer that can't be given the input contribution gets one
        input that is always zero; it is called "(no inputs)" and isn't exact.
        """
        return ()

    def dense(self, job: Job) -> Iterable[Baseline]:
        """Yields its dense ways to do a job of either kind."""
        return self.layers(job) if isinstance(job, Layer) else self.products(job)

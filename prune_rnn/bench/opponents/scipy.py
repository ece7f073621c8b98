"""scipy: compressed sparse rows (CSR), on one thread."""

from __future__ import annotations

from collections.abc import Iterator

from prune_rnn.bench.job import Product
from prune_rnn.bench.opponents.base import Baseline, Opponent
from prune_rnn.engine.quantise import Dtype


class Scipy(Opponent):
    """`scipy.sparse.csr_matrix`, float32, whatever the number of threads."""

    packages = ("scipy",)

    def sparse_products(self, job: Product) -> Iterator[Baseline]:
        """Yields the product of a CSR matrix with 32-bit indices; x is transposed beforehand."""
        from scipy.sparse import csr_matrix

        matrix = csr_matrix(job.weight.detach().numpy())
        right = job.x.detach().t().contiguous().numpy()
        if job.streams == 1:
            right = right[:, 0]  # a vector has a quicker product
        shape = job.streams, len(job.weight)
        yield Baseline("scipy CSR", Dtype.float32, lambda: (matrix @ right).T.reshape(shape))

"""What is computed from the rounds of a measurement."""

from prune_rnn.bench.candidate import Candidate, Measurement


def test_median_quartiles_and_least_by_hand() -> None:
    m = Measurement("product", "x", 1, Candidate("a", "int8"), [5.0, 1.0, 2.0, 4.0, 3.0])
    assert (m.median, m.least, m.quartiles) == (3.0, 1.0, (2.0, 4.0))
    assert Measurement("product", "x", 1, m.candidate, [7.0]).quartiles == (7.0, 7.0)


def test_packing_is_noted() -> None:
    assert Candidate("a", "int8", 0.9, "unstructured").packed(0.5, "lanes", 7) == Candidate(
        "a", "int8", 0.9, "unstructured", "lanes", packing_seconds=0.5, bytes=7
    )

"""Rounding of weights and vectors, by numbers worked out by hand."""

import torch

from prune_rnn.engine.quantise import Dtype, Weight, quantise, quantised_vectors


def test_int8_scales_each_row_by_its_largest() -> None:
    weight = quantise(torch.tensor([[1.27, -0.5, 0.0], [0.0, 0.0, 0.0], [-254.0, 1.0, 3.0]]), Dtype.int8)
    assert weight.scale is not None
    torch.testing.assert_close(weight.scale, torch.tensor([0.01, 1.0, 2.0]))
    # 1 / 2 = 0.5 and 3 / 2 = 1.5 round to even
    assert weight.values.tolist() == [[127, -50, 0], [0, 0, 0], [-127, 0, 2]]
    assert weight.float()[2].tolist() == [-254.0, 0.0, 4.0]


def test_float32_is_lossless_and_bfloat16_keeps_eight_bits() -> None:
    given = torch.tensor([[1.0, 1.00390625, 3.14159265]])  # 1 + 2^-8 lies between 1 and 1 + 2^-7: to even
    assert torch.equal(quantise(given, Dtype.float32).float(), given)
    assert quantise(given, Dtype.bfloat16).float().tolist() == [[1.0, 1.0, 3.140625]]
    assert [quantise(given, dtype).dtype for dtype in Dtype] == list(Dtype)


def test_vectors_use_255_steps_where_none_is_negative() -> None:
    assert quantised_vectors(torch.tensor([[255.0, 1.4, 0.0]]), Dtype.int8).tolist() == [[255.0, 1.0, 0.0]]


def test_vectors_use_127_steps_either_way_else() -> None:
    assert quantised_vectors(torch.tensor([[-127.0, 1.4, 60.6]]), Dtype.int8).tolist() == [[-127.0, 1.0, 61.0]]


def test_a_zero_vector_stays_zero() -> None:
    for dtype in Dtype:
        assert quantised_vectors(torch.zeros(2, 3), dtype).count_nonzero() == 0
    assert Weight(torch.zeros(2, 2)).dtype is Dtype.float32

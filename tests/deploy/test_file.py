"""The packed file: what goes in comes out, and what is not a packed file is refused."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from prune_rnn.config import compose_config
from prune_rnn.deploy.file import Packed, gaps_of, read, to_bytes
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.run.record import recorded

CONFIG = recorded(compose_config(["model=gru_dense"]), "")


@given(st.lists(st.integers(0, 3000), unique=True, max_size=30))
def test_gaps_lead_to_every_position(positions: list[int]) -> None:
    flat = torch.zeros(3001, dtype=torch.bool)
    flat[positions] = True
    found, gaps = gaps_of(flat)
    assert gaps.dtype == torch.uint8
    assert torch.equal((gaps.long() + 1).cumsum(0) - 1, found)
    assert set(positions) <= set(found.tolist())
    # fillers: one each full 256 elements between two neighbours
    ways = zip([-1, *sorted(positions)[:-1]], sorted(positions), strict=True) if positions else []
    assert len(found) == len(positions) + sum((b - a - 1) // 256 for a, b in ways)


def test_a_gap_of_255_needs_no_filler_and_one_of_256_does() -> None:
    flat = torch.zeros(257, dtype=torch.bool)
    flat[255] = True
    assert [part.tolist() for part in gaps_of(flat)] == [[255], [255]]
    flat[255], flat[256] = False, True
    assert [part.tolist() for part in gaps_of(flat)] == [[255, 256], [255, 0]]


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("density", [0.0, 0.002, 0.1, 1.0])
def test_a_network_comes_back(tmp_path: Path, dtype: Dtype, density: float) -> None:
    keep = torch.rand(40, 70, generator=torch.Generator().manual_seed(0)) < density
    weight = quantise(torch.randn(40, 70, generator=torch.Generator().manual_seed(1)) * keep, dtype)
    packed = Packed(CONFIG, dtype, {"linear": weight}, {"linear.gain": torch.ones(3)})
    path = tmp_path / "x.safetensors"
    path.write_bytes(to_bytes(packed))
    back = read(path)
    assert back.config == CONFIG and back.dtype is dtype and list(back.matrices) == ["linear"]
    assert torch.equal(back.matrices["linear"].values, weight.values)
    assert back.matrices["linear"].values.dtype == dtype.torch
    assert (weight.scale is None) == (back.matrices["linear"].scale is None)
    assert list(back.tensors) == ["linear.gain"]


def test_nine_tenths_of_zeros_take_an_eighth() -> None:
    """5 bytes for each weight that is left instead of 40 for it and the nine that are not."""
    keep = torch.rand(500, 500, generator=torch.Generator().manual_seed(0)) < 0.1
    content = to_bytes(Packed(CONFIG, Dtype.float32, {"m": quantise(torch.ones(500, 500) * keep, Dtype.float32)}, {}))
    assert 0 < len(content) - 5 * int(keep.sum()) < 500 + len(json.dumps(CONFIG.plain()).encode()) * 1.2  # the header


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(OSError, match=r"x\.safetensors: no such file; make one by `prune-rnn export RUN`"):
        read(path)
    path.write_bytes(b"not a safetensors file")
    with pytest.raises(ValueError, match="is not a packed network"):
        read(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="is not of 'prune-rnn 1'"):
        read(path)
    content = to_bytes(Packed(CONFIG, Dtype.float32, {"m": quantise(torch.eye(9), Dtype.float32)}, {}))
    path.write_bytes(content.replace(b'"m.gaps"', b'"m.gapz"'))
    with pytest.raises(ValueError, match="is damaged"):
        read(path)

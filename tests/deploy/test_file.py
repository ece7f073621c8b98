"""The packed file: what goes in comes out, and what is not a packed file is refused."""

import json
import tempfile
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load, save, save_file
from torch import Tensor

from prune_rnn.config.config import compose_config
from prune_rnn.deploy.advance import log_probs
from prune_rnn.deploy.file import Packed, PackedConfig, gaps_of, read, to_bytes
from prune_rnn.deploy.network import load as network_of
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.integrity.sealed import sealed_tensors
from prune_rnn.model.layers import matrix_of
from prune_rnn.run.record import recorded
from prune_rnn.speech.features import BINS

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


@pytest.fixture
def packed(network: Callable) -> Callable[..., Packed]:
    """Makes a small network ready to be written: of its weights, a share is left."""

    def make(dtype: Dtype = Dtype.float32, density: float = 0.1) -> Packed:
        model, config = network("gru_dense")
        state = {name: value.clone() for name, value in model.state_dict().items()}
        for name, value in state.items():
            if matrix_of(name):
                value.copy_(torch.randn(value.shape, generator=torch.Generator().manual_seed(1)))
                value *= torch.rand(value.shape, generator=torch.Generator().manual_seed(0)) < density
        return pack(state, config, dtype, torch.zeros(BINS), torch.ones(BINS))

    return make


def unsealed(content: bytes, change: Callable[[dict[str, Tensor], dict[str, str]], None]) -> bytes:
    """Returns a packed file without its checksum, with a change to tensors and metadata."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        with safe_open(file.name, framework="pt") as opened:
            metadata = opened.metadata()
    del metadata["sha256"]
    tensors = load(content)
    change(tensors, metadata)
    made: bytes = save(tensors, metadata)
    return made


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("density", [0.0, 0.002, 0.1, 1.0])
def test_a_network_comes_back(tmp_path: Path, packed: Callable[..., Packed], dtype: Dtype, density: float) -> None:
    ours = packed(dtype, density)
    path = tmp_path / "x.safetensors"
    path.write_bytes(to_bytes(ours))
    back = read(path)
    assert back.config == ours.config and back.dtype is dtype and list(back.matrices) == list(ours.matrices)
    for name, weight in ours.matrices.items():
        assert torch.equal(back.matrices[name].values, weight.values)
        assert back.matrices[name].values.dtype == dtype.torch
        scale = back.matrices[name].scale
        assert scale is weight.scale is None or torch.equal(scale, weight.scale)
    assert back.tensors.keys() == ours.tensors.keys()
    assert all(torch.equal(back.tensors[name], tensor) for name, tensor in ours.tensors.items())


def test_nine_tenths_of_zeros_take_an_eighth() -> None:
    """5 bytes for each weight that is left instead of 40 for it and the nine that are not."""
    keep = torch.rand(500, 500, generator=torch.Generator().manual_seed(0)) < 0.1
    content = to_bytes(
        Packed(
            PackedConfig.of(CONFIG.values),
            Dtype.float32,
            {"m": quantise(torch.ones(500, 500) * keep, Dtype.float32)},
            {},
        )
    )
    assert 0 < len(content) - 5 * int(keep.sum()) < 600 + len(json.dumps(CONFIG.values).encode()) * 1.2  # the header


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(OSError, match=r"x\.safetensors: no such file; make one by `prune-rnn export RUN`"):
        read(path)
    path.write_bytes(b"not a safetensors file")
    with pytest.raises(ValueError, match="is damaged or no packed network"):
        read(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="is no packed file of this version"):
        read(path)


def test_a_file_that_ends_early_is_damaged(tmp_path: Path, packed: Callable[..., Packed]) -> None:
    """Empty, within the header, within the tensors, and without its last byte; also where there is no checksum."""
    content, path = to_bytes(packed()), tmp_path / "x.safetensors"
    for end in (0, 9, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match=r"x\.safetensors is damaged .*; (export it again|make one by)"):
            read(path)
    save_file({"a": torch.zeros(4)}, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"x\.safetensors is damaged \(.*\); export it again"):
        read(path)


def test_for_a_folder_its_packed_file_is_named_or_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"is a folder; give a file that `prune-rnn export RUN` wrote"):
        read(tmp_path)
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(OSError, match=f"is a folder; pack the run by `prune-rnn export {tmp_path}`, and give that"):
        read(tmp_path)
    for dtype in ("bfloat16", "float32"):
        (tmp_path / f"model-{dtype}.safetensors").touch()
    with pytest.raises(OSError, match=f"is a folder; give a file, such as {tmp_path}/model-float32.safetensors"):
        read(tmp_path)


def test_the_same_network_makes_the_same_bytes(packed: Callable[..., Packed]) -> None:
    """safetensors gives the metadata in another order each time."""
    assert len({to_bytes(packed()) for _ in range(5)}) == 1


def test_a_file_with_any_bit_flipped_is_refused(
    tmp_path: Path, packed: Callable[..., Packed], flipped: Callable[[bytes, int], bytes]
) -> None:
    content, path = to_bytes(packed()), tmp_path / "x.safetensors"
    random = Random(0)
    for at in [*range(0, 8 * 8), *(random.randrange(8 * len(content)) for _ in range(150))]:
        path.write_bytes(flipped(content, at))
        with pytest.raises(ValueError, match=r"x\.safetensors is damaged"):
            read(path)


def test_a_file_without_a_checksum_is_damaged(tmp_path: Path, packed: Callable[..., Packed]) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(unsealed(to_bytes(packed()), lambda tensors, metadata: None))
    with pytest.raises(ValueError, match=r"x\.safetensors is damaged \('sha256' is missing"):
        read(path)


def _renamed(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    tensors["linear.gapz"] = tensors.pop("linear.gaps")


def _fewer_layers(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    metadata["config"] = metadata["config"].replace('"layers": 3', '"layers": 2')


def _endless_layers(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    metadata["config"] = metadata["config"].replace('"layers": 3', '"layers": 3000000000')


def _endless_units(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    metadata["config"] = metadata["config"].replace('"units": 24', f'"units": {10**30}')


def _huge(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Would take 2 ** 62 bytes, which no machine gives, before today's check."""
    tensors["linear.shape"] = torch.tensor([2**30, 2**30], dtype=torch.int32)


def _nan(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    tensors["output.bias"][3] = float("nan")


def _broadcast(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    tensors["linear.gain"] = tensors["linear.gain"][:1]


def _one_value(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    tensors["linear.values"] = tensors["linear.values"][:1]


def _another_type(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    tensors["linear.values"] = tensors["linear.values"].bfloat16()


def _far(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    tensors["linear.gaps"][:] = 255


def _unread(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    tensors["extra"] = torch.zeros(1)


def _missing(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    del tensors["features.mean"]


def _unknown_key(tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    metadata["shq256"] = "0" * 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_renamed, "linear.gaps is missing"),
        (_fewer_layers, "its matrices are"),
        (_endless_layers, "model.layers=3000000000: must be at most"),
        (_endless_units, ""),
        (_huge, r"linear\.shape is \[1073741824, 1073741824\], not \[24, 24\]"),
        (_nan, "output.bias has values that are not finite"),
        (_broadcast, r"linear\.gain is \('F32', \(1,\)\), not \('F32', \(24,\)\)"),
        (_one_value, r"linear\.values is"),
        (_another_type, r"linear\.values is \('BF16'"),
        (_far, r"linear\.gaps lead beyond a matrix of \(24, 24\)"),
        (_unread, "extra belongs to no part of its network"),
        (_missing, "features.mean is missing"),
        (_unknown_key, "'shq256' is missing or unknown"),
    ],
)
def test_what_is_no_such_network_is_refused_whatever_its_checksum(
    tmp_path: Path, packed: Callable[..., Packed], change: Callable[..., None], message: str
) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(sealed_tensors(unsealed(to_bytes(packed()), change)))
    with pytest.raises(ValueError, match=rf"x\.safetensors is damaged \(.*{message}") as caught:
        read(path)
    assert "\n" not in str(caught.value)


# --- whatever a file may hold ----------------------------------------------------------------------------------------

_WILD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just([]), st.just({}), st.just("nan"),
    st.lists(st.integers(-3, 2**40), max_size=3), st.sampled_from(["F64", "BF16", "I8", 0, 1, -1, 2, 2**31, 2**63]),
)  # fmt: skip
_MORE_MEMORY = 32 << 20  # bytes, beyond twice what the good file takes: the allocator's whims


def _places(values: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the way to each value in dicts and lists."""
    keys = values if isinstance(values, dict) else range(len(values)) if isinstance(values, list) else ()
    return [way for key in keys for way in [(*at, key), *_places(values[key], (*at, key))]]


def _damaged(content: bytes, flipped: Callable[[bytes, int], bytes], data: st.DataObject) -> bytes:
    """Returns the file with bits flipped, cut off, with two tensors in each other's place, or with another value in
    the header or in the configuration that the header holds; with a checksum of its own or that of before."""
    kind = data.draw(st.sampled_from(["flip", "cut", "swap", "header", "config"]))
    if kind == "flip":
        for bit in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=9, unique=True)):
            content = flipped(content, bit)
        return content
    if kind == "cut":
        return content[: data.draw(st.integers(0, len(content) - 1))]
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    metadata = header["__metadata__"]
    if kind == "swap":
        one, other = data.draw(st.lists(st.sampled_from([*header]), min_size=2, max_size=2, unique=True))
        header[one], header[other] = header[other], header[one]
    else:
        inner = json.loads(metadata["config"]) if kind == "config" else header
        *way, last = data.draw(st.sampled_from(_places(inner)))
        reduce(lambda each, key: each[key], way, inner)[last] = data.draw(_WILD)
        if kind == "config":
            metadata["config"] = json.dumps(inner)
    text = json.dumps(header).encode()
    made = len(text).to_bytes(8, "little") + text + content[start:]
    try:
        return sealed_tensors(made) if data.draw(st.booleans()) else made
    except (TypeError, AttributeError):  # no metadata any more
        return made


@pytest.fixture
def good(tmp_path: Path, packed: Callable[..., Packed], peak: Callable) -> tuple[Path, bytes, int]:
    """(A path, the content of a good file, the memory that it takes to load it)."""
    path, content = tmp_path / "any.safetensors", to_bytes(packed())
    path.write_bytes(content)
    return path, content, max(peak(lambda: network_of(path)) for _ in range(2))


@pytest.mark.slow
@settings(max_examples=750, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_any_damage_is_refused_by_name_or_leaves_a_network(
    good: tuple[Path, bytes, int], flipped: Callable, peak: Callable, data: st.DataObject
) -> None:
    """A network only where the file has the checksum of what is in it: who writes that has meant it."""
    path, whole, usual = good
    path.write_bytes(_damaged(whole, flipped, data))

    def work() -> None:
        try:
            made = network_of(path)
        except (ValueError, OSError) as error:
            assert "any.safetensors" in str(error) and "\n" not in str(error)
        else:
            assert len(log_probs(made, torch.randn(BINS, 30))) == 15  # frames, after a stride of 2

    assert peak(work) <= 2 * usual + _MORE_MEMORY

"""The digest of a network's weights: of what they are, and not of where they lie."""

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from prune_rnn import paths
from prune_rnn.config.config import compose_config
from prune_rnn.integrity.sealed import sealed_tensors
from prune_rnn.run.identity import digest
from prune_rnn.run.record import read_config, recorded
from prune_rnn.source.content import content
from prune_rnn.usage import UsageError


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "model-float32.safetensors"
    save_file({"linear": torch.ones(2, 2), "features.mean": torch.zeros(3)}, path, {"format": "x"})
    return path


def test_a_copy_elsewhere_is_the_same_network(packed: Path, tmp_path: Path) -> None:
    before = content("init", str(packed))
    copy = str(shutil.copy(packed, tmp_path / "copy.safetensors"))
    assert content("teacher", copy) == before
    one = digest(compose_config([f"init={packed}"]))
    assert one == digest(compose_config([f"init={copy}"])) != digest(compose_config([]))
    assert digest(compose_config([f"teacher={copy}"])) not in (one, digest(compose_config([])))


def test_one_other_weight_is_another_network(packed: Path) -> None:
    with safe_open(packed, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    before = content("init", str(packed))
    save_file(tensors | {"features.mean": torch.ones(3)}, packed, {"format": "y"})
    assert content("init", str(packed)) == before  # what a stream begins with is no weight
    tensors["linear"][0, 0] += 1e-7
    save_file(tensors, packed)
    assert content("init", str(packed)) != before


def test_the_teachers_weight_names_the_run(packed: Path) -> None:
    words = [f"teacher={packed}"]
    found = {digest(compose_config([*words, *more])) for more in ([], ["distil=1"], ["temperature=2"])}
    assert len(found) == 3
    kept = recorded(compose_config(words), "").values
    assert "/" not in str(kept["identity"]["teacher"]) and read_config(kept).identity == kept["identity"]


def test_what_holds_no_weights_is_named(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="init=nowhere: no such file; give the folder of a finished run, or a packed"):
        content("init", "nowhere")
    with pytest.raises(UsageError, match=f"holds no {paths.MODEL}; give teacher={packed}"):
        content("teacher", str(tmp_path))
    (tmp_path / paths.MODEL).write_bytes(b"")
    with pytest.raises(
        UsageError, match=f"/model.pt: holds the weights of a run; give the run's folder: init={tmp_path}$"
    ):
        content("init", str(tmp_path / paths.MODEL))
    packed.write_bytes(b"no network")
    with pytest.raises(ValueError, match=f"init={packed}: can't be read"):
        content("init", str(packed))


def test_a_damaged_file_is_named_in_our_words(packed: Path, tmp_path: Path) -> None:
    tensors = sealed_tensors(save({"linear": torch.ones(2, 2)}, {"format": "x"}))
    fix = "give the folder of a finished run, or a file that"
    for damaged, words in [(tensors[:-1], "its checksum is not that of its content"), (tensors[:9], "no header")]:
        packed.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"init={packed}: can't be read \({words}\); {fix}"):
            content("init", str(packed))
    (tmp_path / paths.MODEL).write_bytes(tensors)
    with pytest.raises(ValueError, match=rf"{paths.MODEL}: can't be read \(it does not end with a checksum\); {fix}"):
        content("init", str(tmp_path))


def test_distillation_without_a_teacher_is_refused() -> None:
    with pytest.raises(UsageError, match=r"distil=0\.2: works with teacher=RUN only"):
        compose_config(["distil=0.2"])
    with pytest.raises(UsageError, match="prune=fixed: keeps the zeros of a pruned network; name one by init=RUN"):
        compose_config(["prune=fixed"])


def test_a_key_of_a_file_is_a_path(command: Callable[..., CompletedProcess[str]]) -> None:
    done = command("train", "teacher=a,b")
    assert done.returncode == 2 and "teacher=a,b: no such file" in done.stderr

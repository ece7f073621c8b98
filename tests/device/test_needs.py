"""What is missing is named before anything is run, with what is lost by it."""

import pytest

from prune_rnn.device import needs


def test_nothing_is_said_where_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: name)
    assert needs.missing() == [] and needs.has_speech()


def test_what_is_missing_is_named_as_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name in ("hydra", "espeakng_loader") else name)
    package, speech, way_out = needs.missing()
    assert package == "missing: hydra-core; no stage runs" and needs.lacks_core() == ["hydra-core"]
    assert speech.startswith("missing: espeakng_loader; stage 2 trains on random batches")
    assert "pip install --no-index" in way_out and not needs.has_speech()


def test_a_dry_run_names_the_cpu() -> None:
    machine = needs.machine(dry=True)
    assert machine["device"].startswith("CPU") and "torch" in machine

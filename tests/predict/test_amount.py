"""An epoch's steps and the length of an utterance come from what the configuration names."""

import json
from pathlib import Path

import pytest

from prune_rnn.config.config import compose_config
from prune_rnn.data.base import SPLITS
from prune_rnn.data.noise import noise
from prune_rnn.predict.amount import Amount, amount


def test_synthetic_speech() -> None:
    """15 h of 3.75 s in batches of 12: 1200."""
    assert amount(compose_config([])) == Amount(200, 3.75)
    assert amount(compose_config(["train.steps_per_epoch=null"])) == Amount(1200, 3.75, exact=False)


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ([{"duration": 10.0}, {"duration": 14}, {"duration": 12.0}], 12.0),
        ([{"duration": 10.0}, {"text": "no duration"}, {"duration": True}], 10.0),
        ([{"text": "none"}, {"duration": 0}, {"duration": "2"}], 3.75),
    ],
)
def test_a_manifest(lines: list[dict[str, object]], seconds: float, tmp_path: Path) -> None:
    """Three lines in batches of 2: two steps. A blank line is no utterance, a broken one has no length."""
    splits = noise(tmp_path)
    splits["train"].write_text("\n\n".join(json.dumps(line) for line in lines) + "\n")
    words = ["data=manifest", *(f"data.{split}={path}" for split, path in splits.items()), "train.batch_size=2"]
    assert amount(compose_config([*words, "train.steps_per_epoch=null"])) == Amount(2, seconds)
    splits["train"].write_text("{\n" * 5)
    assert amount(compose_config([*words, "train.steps_per_epoch=null"])) == Amount(3, 3.75)


def test_the_fingerprint_of_a_manifest_has_no_amount() -> None:
    words = ["data=manifest", *(f"data.{split}=sha256:{split}" for split in SPLITS), "train.steps_per_epoch=null"]
    assert amount(compose_config(words)) == Amount(None, 3.75)

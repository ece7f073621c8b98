"""KEY=VALUE arguments, and others."""

from dataclasses import dataclass, field

import pytest

from prune_rnn.engine.quantise import Dtype
from prune_rnn.options import parse


@dataclass(kw_only=True, slots=True)
class Some:
    dtype: Dtype = Dtype.float32
    threads: int | None = None
    streams: list[int] = field(default_factory=lambda: [1])


def test_options_are_typed_and_the_rest_is_kept() -> None:
    others, options = parse(["runs/a=b", "dtype=int8", "x.wav", "streams=[1,4]", "threads=2"], Some)
    assert others == ["runs/a=b", "x.wav"]
    assert options == Some(dtype=Dtype.int8, threads=2, streams=[1, 4])
    assert parse([], Some) == ([], Some())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("dtpe=int8", "dtpe: no such key; did you mean 'dtype'?"),
        ("dtype=int9", "dtype=int9: Invalid value 'int9', expected one of"),
        ("threads=many", "threads=many: Value 'many' of type 'str' could not be converted to Integer"),
        ("streams=[1", r"streams=\[1: "),
    ],
)
def test_a_wrong_option_is_named(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse([word], Some)

"""KEY=VALUE arguments, and others."""

from dataclasses import dataclass, field

import pytest

from prune_rnn.engine.quantise import Dtype
from prune_rnn.options import parse


@dataclass(kw_only=True, slots=True)
class Some:
    dtype: Dtype = Dtype.float32
    threads: int | None = None
    loud: bool = False
    streams: list[int] = field(default_factory=lambda: [1])


def test_options_are_typed_and_the_rest_is_kept() -> None:
    others, options = parse(["runs/a=b", "dtype=int8", "x.wav", "streams=[1,4]", "threads=2"], Some)
    assert others == ["runs/a=b", "x.wav"]
    assert options == Some(dtype=Dtype.int8, threads=2, streams=[1, 4])
    assert parse([], Some) == ([], Some())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("dtpe=int8", r"dtpe: no such key \(if it is a file, write ./dtpe=int8\); did you mean 'dtype'\?$"),
        ("dtype=int9", "^dtype=int9: choose one of float32, bfloat16, int8$"),
        ("threads=many", "^threads=many: must be a whole number$"),
        ("loud=maybe", "^loud=maybe: must be true or false$"),
        ("threads=", "^threads=: has no value; give a whole number, or leave it out$"),
        ("streams=[1", r"streams=\[1: "),
        ("streams=4", r"^streams=4: is no list; give a list, such as streams=\[4\]$"),
    ],
)
def test_a_wrong_option_is_named(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse([word], Some)


def test_a_key_that_is_a_flag_is_told_as_one_and_files_where_there_are_any() -> None:
    with pytest.raises(ValueError, match=r"^live: no such key; did you mean --live\?$"):
        parse(["live=true"], Some, files=False, flags=["--live"])
    with pytest.raises(ValueError, match=r"^scale: no such key; choose one of dtype, threads, loud, streams$"):
        parse(["scale=smoke"], Some, files=False)

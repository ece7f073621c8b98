"""Flags are read as the system writes them."""

from pathlib import Path

import pytest

from prune_rnn import cpu


@pytest.mark.parametrize(
    ("text", "bfloat16", "bytes_"),
    [
        ("model name\t: Zen 4\nflags\t\t: fpu avx2 avx512_bf16 avx512_vnni\n\nflags : none\n", True, True),
        ("flags\t\t: fpu avx2 fma\n", False, False),
        ("flags\t\t: fpu avx2 avx_vnni\n", False, True),
        ("Features\t: fp asimd asimddp\n", False, True),
        ("Features\t: fp asimd asimddp bf16\n", True, True),
        ("", False, False),
    ],
)
def test_flags(text: str, bfloat16: bool, bytes_: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self, **_: text)
    cpu.entries.cache_clear()
    try:
        assert (cpu.multiplies_bfloat16(), cpu.sums_byte_products()) == (bfloat16, bytes_)
    finally:
        cpu.entries.cache_clear()

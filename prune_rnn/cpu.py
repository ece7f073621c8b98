"""What this machine's processor can do, as the system lists it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # the last one on Arm
_BYTE_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp"}


@cache
def flags() -> frozenset[str]:
    """Returns the names of its instruction sets; empty where the system lists none (/proc/cpuinfo)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    named = (line.partition(":") for line in lines)
    return frozenset(next((value.split() for key, _, value in named if key.strip() in ("flags", "Features")), []))


def multiplies_bfloat16() -> bool:
    """Whether it has instructions that multiply bfloat16; without them, products in it take several times as long."""
    return bool(flags() & _BFLOAT16)


def sums_byte_products() -> bool:
    """Whether it sums products of bytes in 32 bits; without, some libraries sum pairs in 16 bits, which overflow."""
    return bool(flags() & _BYTE_PRODUCTS)

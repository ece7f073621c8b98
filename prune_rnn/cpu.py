"""What this machine's processor can do, as the system lists it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # the last one on Arm
_BYTE_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp"}


@cache
def entries() -> dict[str, str]:
    """Returns what /proc/cpuinfo says, of the first processor that has an entry; empty where there is no such file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    return found


def flags() -> frozenset[str]:
    """Returns the names of its instruction sets; on Arm they are called features."""
    return frozenset(entries().get("flags", entries().get("Features", "")).split())


def multiplies_bfloat16() -> bool:
    """Whether it has instructions that multiply bfloat16; without them, products in it take several times as long."""
    return bool(flags() & _BFLOAT16)


def sums_byte_products() -> bool:
    """Whether it sums products of bytes in 32 bits; without, some libraries sum pairs in 16 bits, which overflow."""
    return bool(flags() & _BYTE_PRODUCTS)

"""Which commit of this program is running."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str | None:
    """Returns the commit of this package's checkout, with "+changes" where it differs; None outside of one."""
    folder = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        if not git("ls-files", __file__):
            return None  # installed below somebody else's checkout
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", str(folder)) else "")
    except (OSError, subprocess.CalledProcessError):
        return None

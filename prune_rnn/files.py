"""Files that are whole or not there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

UNFINISHED = ".unfinished"  # what a file is called while it is being written


def write_atomically(path: Path, content: bytes | memoryview, before: Path | None = None) -> None:
    """Replaces the file as a whole: after a crash or on a full disk there is the old one or the new one.

    before: what the old one is called from then on, in place of what had that name.
    Raises OSError that names the file where it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(UNFINISHED, f".{path.name}.", path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)  # mkstemp made it private
            if before is not None and path.exists():
                os.replace(path, before)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OSError(f"{path} can't be written ({error.strerror}); what was there before is kept") from error

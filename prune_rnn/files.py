"""Files that are whole or not there."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

UNFINISHED = ".unfinished"  # what a file is called while it is being written


def write_atomically(path: Path, content: bytes | memoryview, before: Path | None = None) -> None:
    """Replaces the file as a whole: after a crash or on a full disk there is the old one or the new one.

    before: what the old one is called from then on, in place of what had that name.
    Raises OSError that names the file where it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less the umask, as any new file
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if before is not None and path.exists():
                os.replace(path, before)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OSError(f"{path} can't be written ({error.strerror}); what was there before is kept") from error

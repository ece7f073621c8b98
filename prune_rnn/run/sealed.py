"""A file by `torch.save` that carries its own checksum, as the comment of the zip archive that it is."""

from __future__ import annotations

import hashlib
from io import SEEK_END, BytesIO
from zipfile import ZipFile

_MARK = b"sha256 "
_LENGTH = len(_MARK) + 64
_END = b"PK\5\6"  # begins the last 22 bytes of an archive without a comment; their last two count the comment's


def seal(archive: BytesIO) -> None:
    """Appends the sha256 of all that stands before it; torch reads the archive as before."""
    assert archive.getbuffer()[-22:-18] == _END
    archive.seek(-2, SEEK_END)
    archive.write(_LENGTH.to_bytes(2, "little"))
    digest = hashlib.sha256(archive.getbuffer())
    archive.write(_MARK + digest.hexdigest().encode())


def check(content: bytes) -> bool:
    """Whether there is a checksum (files of older versions have none); ValueError where it is not the content's.

    Without one, those of the archive's parts are taken, which torch does not read.

    >>> with ZipFile(file := BytesIO(), "w") as archive:
    ...     archive.writestr("name", "content")
    >>> check(file.getvalue()), seal(file), check(file.getvalue())
    (False, None, True)
    """
    if content[-22:-18] == _END and not content.endswith(_LENGTH.to_bytes(2, "little")):
        if damaged := ZipFile(BytesIO(content)).testzip():
            raise ValueError(f"the checksum of its part {damaged} is not that of its content")
        return False
    if content[-_LENGTH:-64] != _MARK:
        raise ValueError("it does not end as it was written")
    if hashlib.sha256(memoryview(content)[:-_LENGTH]).hexdigest().encode() != content[-64:]:
        raise ValueError("its checksum is not that of its content")
    return True

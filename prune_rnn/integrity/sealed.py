"""Files of tensors that contain their own sha256; torch and safetensors read them as usual.

A file by `torch.save` is a zip archive: its comment is the sha256 of everything before. A safetensors file has `sha256`
in its metadata: of the whole file with zeros for these 64 characters.
"""

from __future__ import annotations

import hashlib
import json
from io import SEEK_END, BytesIO

from prune_rnn.typed import Plain
from prune_rnn.values import from_json

_COMMENT = b"sha256 "
_LENGTH = len(_COMMENT) + 64
_END = b"PK\5\6"  # begins the last 22 bytes of an archive without a comment; their last two count the comment's
_KEY, _ZEROS = b'"sha256":"', b"0" * 64  # before the checksum, and instead of it during its computation


def seal_archive(archive: BytesIO) -> None:
    """Appends the sha256 of a zip archive to it.

    >>> from zipfile import ZipFile
    >>> with ZipFile(file := BytesIO(), "w") as archive:
    ...     archive.writestr("name", "content")
    >>> seal_archive(file)
    >>> check_archive(file.getvalue())
    """
    assert archive.getbuffer()[-22:-18] == _END
    archive.seek(-2, SEEK_END)
    archive.write(_LENGTH.to_bytes(2, "little"))
    digest = hashlib.sha256(archive.getbuffer())
    archive.write(_COMMENT + digest.hexdigest().encode())


def check_archive(content: bytes) -> None:
    """Raises ValueError where a zip archive has no checksum, or another content's."""
    if content[-_LENGTH:-64] != _COMMENT:
        raise ValueError("it does not end with a checksum")
    if hashlib.sha256(memoryview(content)[:-_LENGTH]).hexdigest().encode() != content[-64:]:
        raise ValueError("its checksum is not that of its content")


def sealed_tensors(made: bytes) -> bytes:
    """Returns the content of a safetensors file with its checksum; the same tensors give the same bytes."""
    header, start = _header(made)
    header["__metadata__"]["sha256"] = _ZEROS.decode()
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()  # `save` gives the keys in any order
    text += b" " * (-len(text) % 8)
    content = len(text).to_bytes(8, "little") + text + made[start:]
    at = content.index(_KEY) + len(_KEY)
    return content[:at] + hashlib.sha256(content).hexdigest().encode() + content[at + len(_ZEROS) :]


def checksums(content: bytes) -> tuple[str | None, str]:
    """Returns the checksum that a safetensors file states, if any, and that of its content.

    ValueError for any other file.
    """
    header, start = _header(content)
    metadata = header.get("__metadata__")
    at = content.find(_KEY, 0, start) + len(_KEY)
    digest = hashlib.sha256(content[:at] + _ZEROS)
    digest.update(memoryview(content)[at + len(_ZEROS) :])
    return metadata.get("sha256") if isinstance(metadata, dict) else None, digest.hexdigest()


def _header(content: bytes) -> tuple[Plain, int]:
    """Returns the header of a safetensors file and the position of its tensors; ValueError for any other file."""
    start = 8 + int.from_bytes(content[:8], "little")
    if not 8 < start <= len(content):
        raise ValueError("no header")
    header = from_json(content[8:start].decode())
    if not isinstance(header, dict):
        raise ValueError("no header")
    return header, start

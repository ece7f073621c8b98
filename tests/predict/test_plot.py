"""A forecast is drawn in place of nothing or of another picture; whatever else is there stays."""

from pathlib import Path

import pytest

from prune_rnn.predict.plot import check
from prune_rnn.predict.predict import predict
from prune_rnn.usage import UsageError


@pytest.mark.parametrize(
    ("name", "begin"), [("a.png", b"\x89PNG\r\n\x1a\n"), ("a.SVG", b"<?xml"), ("a.pdf", b"%PDF-1.4")]
)
def test_pictures_are_replaced(name: str, begin: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    for target in ([], ["target.parameters=60000"]):
        predict(["model=gru_sparse", "model.units=128", *target, f"results={tmp_path}"], plot=path, quick=True)
        assert path.read_bytes().startswith(begin)


@pytest.mark.parametrize("content", [b"my own notes", b"", b"%PDF-1.4"])
def test_what_is_no_picture_of_this_kind_stays(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "keep.png"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"--plot {path}: is there and is no PNG picture; give another file"):
        predict(["model=gru_sparse", f"results={tmp_path}"], plot=path, quick=True)
    assert path.read_bytes() == content


def test_where_no_picture_can_go(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"--plot {tmp_path}/no/x.png: there is no folder {tmp_path}/no; make it"):
        check(tmp_path / "no" / "x.png")
    with pytest.raises(UsageError, match=r"x.txt: must end in .png, .svg, .pdf"):
        check(tmp_path / "x.txt")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=r"folder.png: is there and is no PNG picture"):
        check(tmp_path / "folder.png")

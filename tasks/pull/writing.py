"""Writing what was pulled: what fails there is a fault of this machine, and of no file or source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.settings import Refusal


class Unwritable(Refusal):
    """This machine cannot keep what is pulled: its disk is full, closed or broken. No other file would fare better."""


@contextmanager
def writing(folder: str | Path) -> Iterator[None]:
    """For work on a folder of ours: an error of the file system within ends as Unwritable."""
    try:
        yield
    except OSError as error:
        raise Unwritable(
            f"Không ghi được vào {folder} (cannot be written: {error.strerror or error}). Dọn chỗ trống hoặc sửa ổ đĩa rồi chạy lại."
        ) from None

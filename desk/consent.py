"""What cannot be taken back is done where somebody says so."""

from __future__ import annotations

import sys

import typer

from warehouse.settings import Refusal


def require_consent(word: str, yes: bool) -> None:
    """Goes on where somebody says so, here or by `--yes`; Refusal where nobody does."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refusal("Chưa đổi gì: không có ai ở màn hình để trả lời, thêm --yes nếu chắc chắn.")
    if typer.prompt(f"Gõ {word} để làm, gõ gì khác để thôi", prompt_suffix=": ").strip().casefold() != word:
        raise Refusal("Chưa đổi gì.")

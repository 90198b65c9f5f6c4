"""Whoever asks the desk without a browser."""

from __future__ import annotations

import re

import httpx


def client_of(address: str, name: str | None, password: str) -> tuple[httpx.Client, str]:
    """A client that speaks as a browser does, signed in or not, and the token of its forms."""
    origin = str(httpx.URL(address).copy_with(path="")).removesuffix("/")
    opened = httpx.Client(base_url=address, headers={"Origin": origin}, timeout=60)  # a busy machine takes its time
    if name is not None:
        form = {"name": name, "password": password, "form_token": token_of(opened.get("dang-nhap")), "next": ""}
        assert opened.post("dang-nhap", data=form).status_code == 303
    return opened, token_of(opened.get("tai-khoan" if name else "dang-nhap"))


def token_of(answer: httpx.Response) -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="form_token" value="(\w+)"', answer.text)
    assert found, answer.text
    return found[1]

"""What a province says of its open data: publisher, licence, contact, address; `open_data` in sources.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.deliveries.source import declared
from warehouse.periods import PeriodType
from warehouse.settings import Refusal

Url = Annotated[str, Field(pattern=r"^https?://\S+$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(_Model):
    """Under what others may use the data: laid down by the province, never supposed here."""

    name: str = Field(min_length=1)
    url: Url | None = None


class Contact(_Model):
    """Whom to ask."""

    name: str = Field(min_length=1)
    email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$")
    url: Url | None = None


class OpenData(_Model):
    """What goes into every folder beside the edition."""

    publisher: str | None = None
    """Who answers for the data; without one, the names of the provinces."""
    licence: Licence | None = None
    contact: Contact | None = None
    base_url: Annotated[str, Field(pattern=r"^https?://\S+/$")] | None = None
    """Address of the folder of all editions, ended by a slash; without one, addresses are relative."""
    agency: str = Field("BAKHONG", pattern=r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*$")
    """Identifier of the maintenance agency of the SDMX structure."""
    provisional: tuple[PeriodType, ...] = ()
    """Kinds of periods of which every night writes what is published, marked provisional."""


def read_open_data(path: Path) -> OpenData:
    """The `open_data` of a sources.yaml; Refusal where it is not of that form."""
    said = declared(path).get("open_data") or {}
    try:
        return OpenData.model_validate(said)
    except ValidationError as error:
        where = ".".join(["open_data", *map(str, error.errors()[0]["loc"])])
        raise Refusal(
            f"{path}: `{where}` không dùng được; `open_data` có thể có publisher, licence (name, url), contact (name, email, url), "
            "base_url (https://…/, có dấu / ở cuối), agency, provisional ([year, quarter, month])."
        ) from error

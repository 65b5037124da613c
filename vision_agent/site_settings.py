"""The settings of the names that the server is reached by, and of the sites that may use it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s;,?#@]+")
_HOST = re.compile(r"(\*\.)?[^/\s;,?#@:*]+|\*|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*|\[[0-9a-f:.]+\]")
_ANCESTOR = re.compile(r"[^\s;,]+")  # a source of CSP Level 3; these end one


class SiteSettings(BaseSettings):
    """Each is a list, as a variable with commas between."""

    cors_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Other origins whose pages may call, comma-separated; `*` for any.",
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Names under which the server is reached, besides this machine's own, "
        "comma-separated; `*.example.org` for all below one, `*` for any.",
    )
    frame_ancestors: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Origins whose pages may show the page in a frame, comma-separated.",
    )

    @field_validator("cors_origins", "allowed_hosts", "frame_ancestors", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return split_list(value)

    @field_validator("cors_origins")
    @classmethod
    def _as_browsers_send_them(cls, value: list[str]) -> list[str]:
        origins = [each.lower().removesuffix("/") for each in value]
        for each in origins:
            if each not in ("*", "null") and not _ORIGIN.fullmatch(each):
                raise ValueError(
                    f"{each!r} is not an origin: write https://shop.example, or * for any."
                )
        return origins

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: list[str]) -> list[str]:
        for each in value:
            if not _HOST.fullmatch(each.lower()):
                raise ValueError(
                    f"{each!r} is not a host name: write agent.example, without https:// and a "
                    "port, *.agent.example for all names below it, or * for any."
                )
        return value

    @field_validator("frame_ancestors")
    @classmethod
    def _check_ancestors(cls, value: list[str]) -> list[str]:
        for each in value:
            if not _ANCESTOR.fullmatch(each):
                raise ValueError(f"{each!r} is not an origin: write https://shop.example.")
        return value


def split_list(value: object) -> object:
    """A text's parts between its commas; anything else as it is."""
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    return value

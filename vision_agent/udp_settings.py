"""The settings of where calls' media arrives: the UDP ports, and the addresses that are announced.

docs/operations.md says which of them a network needs.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from vision_agent.announced_address import split_announced
from vision_agent.ice_servers import IceUrl

LAST_PORT = 65535


class UdpSettings(BaseSettings):
    """Each is a variable and a flag of `serve`."""

    udp_port: int | None = Field(
        default=None,
        ge=0,
        le=LAST_PORT,
        description="The UDP port of all calls; 0: a random one for each. Default: the one after "
        "`port`, or a free one if that is taken.",
    )
    udp_ports: str | None = Field(
        default=None, description="A range of UDP ports, one for each call: 50000-50100."
    )
    public_ip: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Addresses at which callers reach a server behind NAT, comma-separated, with "
        ":PORT if the UDP port is another from outside; stun:host:port finds it, auto with the "
        "STUN server of ice_servers.",
    )

    def port_range(self) -> tuple[int, int] | None:
        """The first and the last port of `udp_ports`."""
        if self.udp_ports is None:
            return None
        first, _, last = self.udp_ports.partition("-")
        return int(first), int(last)

    @field_validator("udp_ports")
    @classmethod
    def _check_range(cls, value: str | None) -> str | None:
        if value is None:
            return None
        ends = [end.strip() for end in value.split("-")]
        if not all(end.isascii() and end.isdigit() and len(end) < 6 for end in ends):
            raise ValueError("Write it as first-last: 50000-50100.")
        if len(ends) != 2 or not 1 <= int(ends[0]) <= int(ends[1]) <= LAST_PORT:
            raise ValueError(f"Write it as first-last, from 1 to {LAST_PORT}: 50000-50100.")
        return "-".join(ends)

    @field_validator("public_ip", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list):
            return value
        return [each.strip() for text in texts for each in str(text).split(",") if each.strip()]

    @field_validator("public_ip")
    @classmethod
    def _check_addresses(cls, value: list[str]) -> list[str]:
        for each in value:
            if each.startswith("stun:"):
                IceUrl.parse(each)
            elif each != "auto":
                split_announced(each)
        return value

    @model_validator(mode="after")
    def _check_one_choice(self) -> Self:
        if self.udp_port is not None and self.udp_ports is not None:
            raise ValueError("udp_port and udp_ports: choose one of them.")
        if self.udp_ports is not None or self.udp_port == 0:
            for each in self.public_ip:
                if not each.startswith(("stun:", "auto")) and split_announced(each)[1] is not None:
                    raise ValueError(
                        f"public_ip: {each} names one port, and calls have several. Choose one "
                        "with udp_port."
                    )
        return self

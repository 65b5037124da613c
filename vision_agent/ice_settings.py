"""The settings of STUN and TURN servers; `vision_agent.ice_servers` makes a call's list of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from vision_agent.ice_servers import TURN_FORM, IceServers, IceUrl


class IceServer(BaseModel):
    """A STUN or TURN server, as an `RTCIceServer` with one URL (W3C WebRTC 4.2.4).

    Attributes:
        urls: The URL: `stun:host:port`, or `turn:` or `turns:` with a user name and a credential.
        username: The user name at a TURN server.
        credential: The password.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    urls: str
    username: str | None = None
    credential: SecretStr | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        # Browsers refuse to make any connection with a TURN server that has no credentials.
        if IceUrl.parse(self.urls).is_turn and not (self.username and self.credential):
            raise ValueError(
                f"{self.urls!r} needs a username and a credential: "
                '[{"urls": "turn:…", "username": "…", "credential": "…"}]; or name it as TURN, '
                "with TURN_SECRET, for credentials that expire."
            )
        return self

    def described(self) -> dict[str, str]:
        """The server as `RTCIceServer` of browsers, with its credential: for callers only."""
        secret = self.credential.get_secret_value() if self.credential else None
        described = {"urls": self.urls, "username": self.username, "credential": secret}
        return {name: text for name, text in described.items() if text is not None}


class IceSettings(BaseSettings):
    """Where callers and this server learn their addresses, and who relays for them."""

    ice_servers: Annotated[list[IceServer], NoDecode] = Field(
        default_factory=list,
        description="STUN/TURN servers: a JSON list, or comma-separated URLs. Default: none.",
    )
    turn: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="TURN servers that share a secret with this server, comma-separated, for calls "
        f"that can't connect directly: {TURN_FORM}.",
    )
    turn_secret: SecretStr | None = Field(
        default=None,
        description="That secret (coturn: static-auth-secret). Credentials for each call are made "
        "of it; it stays here.",
    )
    turn_secret_file: Path | None = Field(
        default=None, description="The file that holds the secret, in place of turn_secret."
    )
    turn_lifetime_s: float = Field(
        default=10_800,
        ge=60,
        le=604_800,
        description="How long a call's credentials are accepted.",
    )

    def ice(self) -> IceServers:
        """The servers that every call's list is made of."""
        return IceServers(
            fixed=tuple(server.described() for server in self.ice_servers),
            turn=tuple(self.turn),
            secret=self.turn_secret.get_secret_value() if self.turn_secret else "",
            lifetime_s=self.turn_lifetime_s,
        )

    @field_validator("turn", mode="before")
    @classmethod
    def _split_turn(cls, value: object) -> object:
        if isinstance(value, str):
            return [each.strip() for each in value.split(",") if each.strip()]
        return value

    @field_validator("turn")
    @classmethod
    def _check_turn(cls, value: list[str]) -> list[str]:
        for each in value:
            if not IceUrl.parse(each).is_turn:
                raise ValueError(f"{each!r} is not a TURN server. Write {TURN_FORM}.")
        return value

    @field_validator("ice_servers", mode="before")
    @classmethod
    def _read_ice_servers(cls, value: object) -> object:
        if isinstance(value, str):
            text = value.strip()
            if text.startswith("["):
                return json.loads(text)
            return [{"urls": url.strip()} for url in text.split(",") if url.strip()]
        return value

    @model_validator(mode="after")
    def _read_secret(self) -> Self:
        if self.turn_secret_file is not None:
            if self.turn_secret is not None:
                raise ValueError("Give turn_secret or turn_secret_file, not both.")
            try:
                text = self.turn_secret_file.expanduser().read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "no text"
                raise ValueError(f"turn_secret_file: {self.turn_secret_file}: {why}.") from None
            if not text:
                raise ValueError(f"turn_secret_file: {self.turn_secret_file} is empty.")
            self.turn_secret = SecretStr(text)
            self.turn_secret_file = None
        if self.turn and self.turn_secret is None:
            raise ValueError(
                "turn: the TURN server's secret is missing. Give it as "
                "VISION_AGENT_TURN_SECRET, --turn-secret or --turn-secret-file; a server with a "
                "fixed username and password is named in VISION_AGENT_ICE_SERVERS."
            )
        return self

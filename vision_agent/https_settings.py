"""The server's options of HTTPS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings


def _check_host(value: str) -> str:
    if not value.strip():
        raise ValueError("It is empty: write 127.0.0.1, or 0.0.0.0 for all addresses.")
    # An IPv6 address in a URL has brackets.
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value


Host = Annotated[str, AfterValidator(_check_host)]
"""An address to listen on. An empty one, such as a variable without a value, would be all."""


class HttpsSettings(BaseSettings):
    """Whether the server speaks TLS itself, and with which certificate.

    With it, the server listens on the network: `host` is 0.0.0.0 unless it is set.
    """

    host: Host = Field(default="127.0.0.1", description="Address to listen on.")
    https: bool = Field(
        default=False, description="Speak HTTPS, with a certificate of an authority made here."
    )
    cert: Path | None = Field(
        default=None, description="Speak HTTPS with this certificate chain (PEM)."
    )
    key: Path | None = Field(
        default=None, description="Its private key (PEM). Default: it stands in `cert`."
    )

    @model_validator(mode="after")
    def _listen_on_the_network(self) -> Self:
        if self.key is not None and self.cert is None:
            raise ValueError("key: it belongs to a certificate. Name that one, too, with `cert`.")
        if self.cert is not None:
            self.https = True
        if self.https and "host" not in self.model_fields_set:
            self.host = "0.0.0.0"
        return self

"""The STUN and TURN servers that `/api/info` lists. Pure."""

from __future__ import annotations

import logging
from typing import Any

from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs

logger = logging.getLogger(__name__)


def read_ice_servers(described: Any) -> list[RTCIceServer]:
    """Return the usable entries of a list of `RTCIceServer` dictionaries (W3C WebRTC 4.2.4).

    Keys that aiortc does not know are ignored: `credentialType`, and what later versions of the
    specification add. An entry whose URLs can't be parsed is skipped with a warning.
    """
    if not isinstance(described, list):
        return []
    servers = []
    for each in described:
        if not isinstance(each, dict):
            continue
        urls = each.get("urls")
        server = RTCIceServer(
            urls=[str(url) for url in urls] if isinstance(urls, list) else str(urls),
            username=_text(each.get("username")),
            credential=_text(each.get("credential")),
        )
        try:
            connection_kwargs([server])
        except ValueError as error:
            logger.warning("an ICE server of the other side is left out: %s", error)
        else:
            servers.append(server)
    return servers


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

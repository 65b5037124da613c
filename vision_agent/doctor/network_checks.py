"""The port, access, and whether browsers allow the page a camera."""

from __future__ import annotations

from collections.abc import Mapping

from vision_agent.addresses import is_loopback
from vision_agent.doctor.finding import Finding
from vision_agent.server.ingress.exposure import ADVICE, exposure
from vision_agent.server.listening import CannotListen, listen, shown

_KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI")
"""If one of these is set, a paid model service answers."""


def check_port(host: str, port: int) -> list[Finding]:
    """Check that the server can listen on its address."""
    if port == 0:
        return [Finding("port", "ok", "Any free port is taken.")]
    try:
        listen(host, port).close()
    except CannotListen as error:
        return [Finding("port", "problem", error.reason, error.advice)]
    return [Finding("port", "ok", f"{shown(host, port)} is free.")]


def check_access(host: str, *, has_token: bool, environ: Mapping[str, str]) -> list[Finding]:
    """Check whether anybody on the network could call, and at whose cost."""
    paid = any(environ.get(name) for name in _KEYS)
    if open_to_all := exposure(host, has_token=has_token, paid=paid):
        return [Finding("access", "warning", open_to_all, ADVICE)]
    if has_token:
        return [Finding("access", "ok", "Callers need the access token.")]
    return [Finding("access", "ok", "Only this machine can reach the server.")]


def check_secure_context(host: str) -> list[Finding]:
    """Check that browsers allow the page a camera: getUserMedia needs a secure context."""
    if is_loopback(host):
        text = "The page is on this machine only: browsers give it the camera."
        return [Finding("https", "ok", text)]
    return [
        Finding(
            "https",
            "warning",
            f"On {host} other machines reach the page over http:, where browsers give no camera.",
            "Put a proxy with a certificate in front (https://), or tunnel the port: "
            "ssh -L 7860:localhost:7860 …",
        )
    ]

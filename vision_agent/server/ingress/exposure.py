"""What a server is open to."""

from __future__ import annotations

from vision_agent.addresses import is_loopback
from vision_agent.settings import Settings


def exposure(settings: Settings, *, paid: bool) -> str | None:
    """A sentence where anybody on the network may call; None where not.

    Args:
        settings: The address and the token.
        paid: Whether calls use a model service with the operator's key.
    """
    if is_loopback(settings.host) or settings.token is not None:
        return None
    cost = ", and the model service charges your key for it" if paid else ""
    return f"No access token is set: anybody on the network may call the agent{cost}."


ADVICE = "Set VISION_AGENT_TOKEN; the page is then opened as http://…/#token=…"

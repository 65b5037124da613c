"""Whether anybody on the network may call the server."""

from __future__ import annotations

from vision_agent.addresses import is_loopback


def exposure(host: str, *, has_token: bool, paid: bool) -> str | None:
    """The warning that anybody on the network may call; None if that is not so.

    Args:
        host: The address that is listened on.
        has_token: Whether an access token is set.
        paid: Whether calls use a model service with the operator's key.
    """
    if is_loopback(host) or has_token:
        return None
    cost = ", and the model service charges your key for it" if paid else ""
    return f"No access token is set: anybody on the network may call the agent{cost}."


ADVICE = "Set VISION_AGENT_TOKEN; the page is then opened with #token=… behind its address."

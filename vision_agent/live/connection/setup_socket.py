"""Completes a connection's setup with what google-genai has no field for.

google-genai 2.x, which ADK needs, knows nothing of `proactivity.proactiveVideo`; 3.1 does. Its
types refuse unknown fields, so the field joins the message on its way to the socket: it passes
`async_client_args` on to `websockets`, whose `create_connection` chooses the class of a connection.
"""

from __future__ import annotations

import json
from typing import Any

from websockets.asyncio.client import ClientConnection

from vision_agent.live.call_options import CallOptions
from vision_agent.live.model_scope import model_scope


class SetupSocket(ClientConnection):
    """A connection whose first message, the setup, is completed for the present call."""

    _set_up = False

    async def send(self, message: Any, text: bool | None = None) -> None:
        """Send a message; see `websockets`."""
        if not self._set_up:
            self._set_up = True
            options = model_scope().options
            if options is not None and isinstance(message, str):
                message = completed(message, options)
        await super().send(message, text)


def completed(message: str, options: CallOptions) -> str:
    """A setup message with what the options ask for beyond google-genai's fields.

    Args:
        message: JSON, as google-genai sends it.
        options: The call's.
    """
    if not options.proactive_video:
        return message
    data = json.loads(message)
    data["setup"].setdefault("proactivity", {})["proactiveVideo"] = True
    return json.dumps(data)

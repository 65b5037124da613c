"""The Live API on this machine.

A server on the loopback interface that speaks the Gemini Live API's WebSocket protocol
(BidiGenerateContent), hears, looks, answers and speaks with nothing but what is installed. It
imports nothing of the rest of the project: it is reached over the wire, as the real service is.
"""

from vision_agent.local.process import run_live_server
from vision_agent.local.server import LocalServer, serve

__all__ = ["LocalServer", "run_live_server", "serve", "speak_question"]


async def speak_question(text: str) -> tuple[bytes, int]:
    """A sentence in the voice that the engine's own hearing understands best.

    Returns:
        s16le mono PCM and its rate in Hz.
    """
    # On demand: whoever only serves or connects needs no voice of its own.
    from vision_agent.local import speech

    return await speech.speak_question(text)

"""Breaks the connections of a local Live API that runs in the test's own process."""

from vision_agent.local.server import LocalServer


def tear_off(server: LocalServer) -> None:
    """Cuts every connection without a close frame, like a network failure; it keeps listening."""
    for connection in server.websockets.connections:
        connection.transport.abort()


def forget_handles(server: LocalServer) -> None:
    """Invalidates every resumption handle, as the end of its two hours does."""
    server.handles.clear()

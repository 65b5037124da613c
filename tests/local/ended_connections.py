"""The close codes and reasons of a server's connections."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection


async def closed(connection: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(10):
        await connection.wait_closed()
    return connection.close_code or 0, connection.close_reason or ""

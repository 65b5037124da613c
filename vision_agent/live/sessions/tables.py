"""Our own tables in the sessions' database, beside ADK's."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text

METADATA = MetaData()

RESUMPTION = Table(
    "vision_agent_resumption",
    METADATA,
    Column("session_id", String(64), primary_key=True),
    Column("handle", Text, nullable=True),
    Column("touched_at", Float, nullable=False),
)
"""The newest resumption handle of a session, and when the session was last in use."""

TOKEN_USES = Table(
    "vision_agent_token_uses",
    METADATA,
    Column("token_id", String(64), primary_key=True),
    Column("uses", Integer, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
)
"""How many conversations a token has begun, until it reaches none of them any more."""

DAILY_USE = Table(
    "vision_agent_daily_use",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("who", String(64), primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("cost", Float, nullable=False),
)
"""What a user or an address, of which a hash is kept, has used on a day of UTC."""

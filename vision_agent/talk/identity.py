"""Who calls from this machine: the same person in each call, by an id that nobody can guess."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from vision_agent.addresses import is_loopback
from vision_agent.data_folder import private_file


def identity(data_folder: Path, url: str) -> str:
    """The id that a server at ``url`` knows this machine's user by; 32 hexadecimal digits.

    Servers on this machine are told the same one. Each other server is told one of its own, so
    that none can pass for its caller at another.

    Args:
        data_folder: Where the secret is kept that the ids are made of; made when first needed.
        url: The server's.

    Raises:
        OSError: The secret can't be kept.
    """
    path = data_folder / "caller"
    private_file(path)
    secret = path.read_text().strip()
    if not secret:
        secret = secrets.token_hex(32)
        path.write_text(secret)
    parts = urlsplit(url)
    where = "" if is_loopback(parts.hostname or "") else parts.netloc.lower()
    return hashlib.sha256(f"{secret} {where}".encode()).hexdigest()[:32]

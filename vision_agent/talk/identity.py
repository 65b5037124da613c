"""The id of this machine's user: the same in every call, and impossible to guess."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from vision_agent.addresses import is_loopback
from vision_agent.data_folder import private_file


def identity(data_folder: Path, url: str) -> str:
    """Return the id under which the server at `url` knows this machine's user.

    All servers on this machine get the same id. Every other server gets an id of its own, so that
    no server can pose as its caller at another.

    Args:
        data_folder: Where the secret behind the ids is stored; created when first needed.
        url: The server's address.

    Returns:
        32 hexadecimal digits.

    Raises:
        OSError: The secret can't be stored.
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

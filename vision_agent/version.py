"""The distribution that this package is installed by, its version, and what its extras bring.

The import is `vision_agent` and the command `vision-agent`; on PyPI that name is another project's.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

DISTRIBUTION = "adk-video-call"
OTHER_DISTRIBUTION = "vision-agent"

# What an extra brings, and what fails to be imported without it.
_EXTRAS = {"mcp": ("mcp", "google.adk.tools.mcp_tool"), "postgres": ("asyncpg",)}

try:
    __version__ = version(DISTRIBUTION)
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0"


def missing_extra(error: BaseException) -> str | None:
    """How to install the extra whose absence an error comes from; None if it is something else.

    Args:
        error: What an import raised, or whatever was raised from that.
    """
    cause: BaseException | None = error
    while cause is not None:
        name = cause.name if isinstance(cause, ImportError) else None
        for extra, modules in _EXTRAS.items():
            if name in modules and not _is_installed(modules[0]):
                return f"pip install '{DISTRIBUTION}[{extra}]'"
        cause = cause.__cause__ or cause.__context__
    return None


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # Python's word for a module that was made impossible to import
        return False

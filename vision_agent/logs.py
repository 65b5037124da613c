"""Logging of the commands: one record per line on standard error, as text or JSON."""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
import threading
import time
from datetime import UTC, datetime
from enum import StrEnum

from vision_agent.terminal import printable

# A longer line of another program is split into several records.
_LONGEST_LINE_BYTES = 64 * 1024
_END_S = 1.0
_MARK = b"\0end of the log\0"


class LogFormat(StrEnum):
    """The form of a log record."""

    TEXT = "text"
    JSON = "json"


class TextFormatter(logging.Formatter):
    """`time level logger: message`, made printable.

    Args:
        fold: Join multi-line messages and tracebacks into one line. A person at a terminal prefers
            them unfolded.
    """

    def __init__(self, *, fold: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._fold = fold

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        text = super().format(record)
        if self._fold:
            text = " | ".join(line for line in text.splitlines() if line.strip())
        return printable(text)


class JsonFormatter(logging.Formatter):
    """One JSON object (RFC 8259): time (ISO 8601, UTC), level, logger, message, and exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        exception = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        return json_record(
            record.created, record.levelname, record.name, record.getMessage(), exception
        )


def json_record(
    created_s: float, level: str, name: str, message: str, exception: str | None = None
) -> str:
    """Return one record as a line of ASCII JSON.

    Args:
        created_s: Seconds since the epoch.
        level: The name of the level.
        name: The name of the logger.
        message: The message.
        exception: The formatted traceback, if any.
    """
    time = datetime.fromtimestamp(created_s, UTC).isoformat(timespec="milliseconds")
    record = {"time": time, "level": level, "logger": name, "message": message}
    return json.dumps(record | ({"exception": exception} if exception else {}))


def start_logging(*, verbose: bool) -> None:
    """Log text to standard error: from INFO on if `verbose`, otherwise from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter(fold=not (sys.stderr and sys.stderr.isatty())))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])
    logging.captureWarnings(True)


def log_json() -> None:
    """Make every line of standard error a JSON record from now on. Idempotent.

    This includes lines that are not logged here: those of child processes, of native libraries, and
    the interpreter's tracebacks. File descriptor 2 becomes a pipe, which children inherit, and a
    thread turns each line from it into a record of the logger `stderr`. Lines that are records
    already, from a child that does the same, pass unchanged.
    """
    if isinstance(logging.getLogger().handlers[0].formatter, JsonFormatter):
        return
    real = os.dup(2)
    handler = logging.StreamHandler(os.fdopen(real, "w", encoding="utf-8", closefd=False))
    handler.setFormatter(JsonFormatter())
    logging.getLogger().handlers[:] = [handler]
    outlet, inlet = os.pipe()
    sys.stderr.flush()
    os.dup2(inlet, 2)
    os.close(inlet)
    lines = _Lines(outlet, real)
    lines.start()
    atexit.register(lines.end)


class _Lines(threading.Thread):
    """Reads the pipe of standard error and writes each line as a record.

    The thread is a daemon: children that outlive this process may keep the pipe open.

    Args:
        outlet: The descriptor of the pipe's reading end.
        real: The descriptor of the original standard error.
    """

    def __init__(self, outlet: int, real: int) -> None:
        super().__init__(name="standard error", daemon=True)
        self._outlet, self._real = outlet, real
        self._ended = threading.Event()

    def run(self) -> None:
        """Read until every writing end of the pipe is closed."""
        rest = b""
        while data := os.read(self._outlet, _LONGEST_LINE_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) >= _LONGEST_LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._take(line)

    def end(self) -> None:
        """Wait until everything this process has written is out, then restore standard error."""
        sys.stderr.flush()
        os.write(2, b"\n" + _MARK + b"\n")
        self._ended.wait(_END_S)
        os.dup2(self._real, 2)

    def _take(self, line: bytes) -> None:
        if line == _MARK:
            self._ended.set()
            return
        text = line.decode("utf-8", "backslashreplace").strip()
        if not text:
            return
        record = text if _is_record(text) else json_record(time.time(), "WARNING", "stderr", text)
        os.write(self._real, record.encode() + b"\n")


def _is_record(line: str) -> bool:
    """Whether a line comes from `json_record` in a child process."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and {"time", "level", "logger", "message"} <= record.keys()

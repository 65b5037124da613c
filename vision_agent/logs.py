"""What the commands log: one record a line on standard error, as text or as JSON."""

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

# A longer line of another program's is cut into several records.
_LONGEST_LINE_BYTES = 64 * 1024
_END_S = 1.0
_MARK = b"\0end of the log\0"


class LogFormat(StrEnum):
    """How a record is written."""

    TEXT = "text"
    JSON = "json"


class TextFormatter(logging.Formatter):
    """`time level logger: message`; whatever the message or the exception holds, in one line.

    Args:
        fold: Put tracebacks into the same line. A person at a terminal wants them in lines.
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
    """One record as a line of JSON, in ASCII.

    Args:
        created_s: Seconds since the epoch.
        level: The level's name.
        name: The logger's.
        message: The message.
        exception: The traceback, if there is one.
    """
    time = datetime.fromtimestamp(created_s, UTC).isoformat(timespec="milliseconds")
    record = {"time": time, "level": level, "logger": name, "message": message}
    return json.dumps(record | ({"exception": exception} if exception else {}))


def start_logging(*, verbose: bool) -> None:
    """Log text to standard error, from INFO on if `verbose`, else from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter(fold=not sys.stderr.isatty()))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])
    logging.captureWarnings(True)


def log_json() -> None:
    """Make every line of standard error a JSON record from now on.

    Also those that are not ours: of child processes, of native libraries, a traceback of the
    interpreter's. File descriptor 2 becomes a pipe, which the children inherit; a thread makes each
    line that comes out of it a record of the logger `stderr`. Lines that are records already, of a
    child that does the same, pass as they are. Idempotent.
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
    """Reads standard error's pipe and writes each line as a record.

    A daemon: children that outlive this process may keep the pipe open.

    Args:
        outlet: The descriptor of the pipe's end to read from.
        real: That of the standard error to write to.
    """

    def __init__(self, outlet: int, real: int) -> None:
        super().__init__(name="standard error", daemon=True)
        self._outlet, self._real = outlet, real
        self._ended = threading.Event()

    def run(self) -> None:
        """Read until the last holder of the pipe's other end is gone."""
        rest = b""
        while data := os.read(self._outlet, _LONGEST_LINE_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) >= _LONGEST_LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._take(line)

    def end(self) -> None:
        """Wait until what this process has written is out; then write directly again."""
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
    """Whether a line is one that `json_record` has made, in a child process."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and {"time", "level", "logger", "message"} <= record.keys()

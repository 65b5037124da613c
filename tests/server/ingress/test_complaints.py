"""The log lines that clients can cause, and their rate."""

import logging

from vision_agent.server.ingress.complaints import OncePerMinute


def test_a_warning_is_logged_once_a_minute_and_every_error(monkeypatch, caplog):
    now_s = [0.0]
    monkeypatch.setattr("vision_agent.server.ingress.complaints.time.monotonic", lambda: now_s[0])
    logger = logging.getLogger("tests.complaints")
    complaints = OncePerMinute()
    logger.addFilter(complaints)
    try:
        for _ in range(9):
            logger.warning("no HTTP")
            logger.warning("an upgrade")
        logger.error("a bug")
        logger.error("a bug")
        now_s[0] = 61
        logger.warning("no HTTP")
    finally:
        logger.removeFilter(complaints)
    assert [record.message for record in caplog.records] == [
        "no HTTP",
        "an upgrade",
        "a bug",
        "a bug",
        "no HTTP",
    ]

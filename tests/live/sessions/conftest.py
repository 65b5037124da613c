"""Databases of both kinds."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.live.sessions import postgres
from vision_agent.live.sessions import store


@pytest.fixture(scope="session")
def cluster(request, tmp_path_factory):
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed: scripts/setup.sh dev does that on Debian.")
    of_all_workers = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        of_all_workers = of_all_workers.parent
    # Not below pytest's own folder, which other users can't enter and whose path is too long for a
    # socket's.
    folder = Path(tempfile.mkdtemp(prefix="va-"))
    os.chmod(folder, 0o755)
    try:
        with postgres.running(folder / "pg", of_all_workers / "postgresql") as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives a database that other tests keep busy the time to take a store's last records."""
    monkeypatch.setattr(store, "FLUSH_TIMEOUT_S", 30.0)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/below/sessions.db"
    return request.getfixturevalue("cluster").url

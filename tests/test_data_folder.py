"""Data of callers is readable for its owner only, whoever makes the folder, and wherever it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import serving
from tests.support.dialling import Dialled
from tests.support.scenarios import TONES
from vision_agent.agents.memory import SqliteMemoryService
from vision_agent.data_folder import DatabaseError, data_folder, private_file, private_folder
from vision_agent.live.sessions.store import make_store
from vision_agent.settings import Settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_the_platforms_unless_one_is_named() -> None:
    assert data_folder({"VISION_AGENT_DATA_DIR": "/b", "XDG_DATA_HOME": "/c"}) == Path("/b")
    if sys.platform == "linux":
        assert data_folder({"XDG_DATA_HOME": "/c"}) == Path("/c/vision_agent")
        home = Path.home() / ".local" / "share" / "vision_agent"
        assert data_folder({}) == home
        assert data_folder({"XDG_DATA_HOME": "relative"}) == home


def test_an_option_wins_over_the_variable_and_an_empty_one_means_the_usual_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISION_AGENT_DATA_DIR", "/b")
    assert Settings(data_dir="/a").data_dir == Path("/a")
    assert Settings().data_dir == Path("/b")
    monkeypatch.setenv("VISION_AGENT_DATA_DIR", "")
    monkeypatch.setenv("XDG_DATA_HOME", "/c")
    assert Settings().data_dir == data_folder({"XDG_DATA_HOME": "/c"})
    assert Settings(data_dir="~/d").data_dir == Path.home() / "d"


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("first", ["memory", "sessions"])
async def test_whichever_database_is_opened_first_the_new_folder_is_its_owners_alone(
    tmp_path: Path, first: str
) -> None:
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder)
    store = make_store("app", url=settings.database_url(), resume_within_s=60, keep_s=60)
    if first == "sessions":
        await store.start()
    memory = SqliteMemoryService(settings.memory_path())
    if first == "memory":
        await store.start()
    try:
        assert mode(folder) == 0o700
        modes = {path.name: mode(path) for path in folder.iterdir()}
        assert {"sessions.db", "memory.db", "sessions.db-wal", "memory.db-wal"} <= modes.keys()
        assert set(modes.values()) == {0o600}
    finally:
        await store.close()
        memory.close()


def test_what_an_earlier_version_left_open_is_tightened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("VISION_AGENT_DATA_DIR")
    folder = data_folder()
    taught = folder / "taught"
    taught.mkdir(parents=True)
    files = [folder / name for name in ("sessions.db", "sessions.db-wal", "memory.db-shm")]
    files.append(taught / "0123.json")
    for path in files:
        path.touch()
        path.chmod(0o644)
    taught.chmod(0o755)
    folder.chmod(0o755)
    private_folder(folder)
    assert mode(folder) == mode(taught) == 0o700
    assert [mode(path) for path in files] == [0o600] * 4


def test_a_folder_that_is_used_for_other_things_too_keeps_its_mode_and_ours_in_it_are_private(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o1777)
    other = tmp_path / "somebody.txt"
    other.touch()
    other.chmod(0o644)
    old = tmp_path / "memory.db"
    old.touch()
    old.chmod(0o644)
    private_file(tmp_path / "sessions.db")
    assert mode(tmp_path) == 0o1777
    assert mode(other) == 0o644
    assert mode(old) == mode(tmp_path / "sessions.db") == 0o600


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root makes others' files")
def test_a_file_that_another_user_has_put_there_is_not_written_to(tmp_path: Path) -> None:
    planted = tmp_path / "data"
    planted.mkdir()
    planted.chmod(0o777)
    (planted / "memory.db").touch()
    (planted / "memory.db").chmod(0o666)
    script = (
        "import os, sys; from pathlib import Path; from vision_agent import data_folder\n"
        "os.setuid(65534)\n"
        "try: data_folder.private_file(Path(sys.argv[1]))\n"
        "except data_folder.NotPrivate as error: print(error)\n"
    )
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:-2]:
        parent.chmod(parent.stat().st_mode | 0o011)
    done = subprocess.run(
        [sys.executable, "-c", script, str(planted / "memory.db")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "belongs to another user" in done.stdout


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="can't be used"):
        SqliteMemoryService(tmp_path / "file" / "memory.db")


async def test_after_a_call_nothing_in_the_data_folder_is_readable_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_AGENT_DATA_DIR", str(tmp_path / "data"))
    before = os.umask(0o022)
    try:
        async with serving("--session-db", "", "--scenario", str(TONES)) as server:
            caller = Dialled(server.url)
            await caller.connect()
            caller.send("send-text", {"content": "Hello"})
            await caller.wait_for(lambda m: m["type"] == "bot-transcription")
            await caller.hang_up()
            paths = list((tmp_path / "data").rglob("*"))
            assert {path.name for path in paths} >= {"sessions.db", "memory.db"}
            for path in (tmp_path / "data", *paths):
                assert mode(path) & 0o077 == 0, path
    finally:
        os.umask(before)

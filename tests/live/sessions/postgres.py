"""A PostgreSQL server of our own, as Debian ships it: a new cluster, on a socket in a folder."""

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

PASSWORD = "not a secret"


def programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, which Debian keeps off the PATH; newest first."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    return found[-1] if found else None


class Cluster:
    """A server that can be stopped and started again.

    PostgreSQL refuses to run as root: there it runs as `nobody`.

    Args:
        folder: Where it is made.
        template: Where the data of a new cluster are kept for the next one. To copy them takes an
            eighth of the CPU that it takes to make them.
    """

    def __init__(self, folder: Path, template: Path) -> None:
        bin_folder = programs()
        assert bin_folder is not None
        self._bin = bin_folder
        self._folder = folder
        self._data = folder / "data"
        self._user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        folder.mkdir()
        if self._user:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        with open(template.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not template.exists():
                self._make_data()
                subprocess.run(["cp", "-a", self._data, template], check=True)
                return
        subprocess.run(["cp", "-a", template, self._data], check=True)

    def _make_data(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        self._run(
            "initdb", "-D", self._data, "-U", "tests", "-E", "UTF8", "--no-sync",
            "--auth=scram-sha-256", f"--pwfile={secret}",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"postgresql://tests:{PASSWORD.replace(' ', '%20')}@/postgres?host={self._folder}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off"
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self._data, "-l", log, "-o", options, "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        uid = self._user.pw_uid if self._user else None
        gid = self._user.pw_gid if self._user else None
        subprocess.run(
            [self._bin / program, *map(str, arguments)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            user=uid,
            group=gid,
            extra_groups=[] if self._user else None,
            cwd="/",
            timeout=60,
        )


@contextlib.contextmanager
def running(folder: Path, template: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder, template)
    cluster.start()
    try:
        yield cluster
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # a test may have stopped it
            cluster.stop()

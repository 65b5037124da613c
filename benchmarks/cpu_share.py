"""A share of a core for a process: a control group with a quota (cgroup v1, as root)."""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 10_000
"""Short compared with the measured lateness. A process may use its rest of a period in a later one,
up to as much again: otherwise, decoding one frame would make it wait."""


class NoShares(RuntimeError):
    """This machine gives no process a share of a core; `str(error)` says why."""


class CpuShare:
    """Holds one process, without its children, to a part of a core until it ends.

    Args:
        name: The group's, unique on the machine.
        share: Of one core: 0.3 is 30 %.

    Raises:
        NoShares: The kernel has no such groups here, or this user may not make one.
    """

    def __init__(self, name: str, share: float) -> None:
        self._group = ROOT / name
        if not (ROOT / "cpu.shares").exists():
            raise NoShares(f"--worker-share needs the cpu controller of cgroup v1 at {ROOT}.")
        try:
            self._group.mkdir()
            quota_us = str(round(PERIOD_US * share))
            (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self._group / "cpu.cfs_quota_us").write_text(quota_us)
            (self._group / "cpu.cfs_burst_us").write_text(quota_us)
        except OSError as error:
            raise NoShares(
                f"--worker-share needs root and Linux 5.14, to make {self._group}: {error}."
            ) from error

    def hold(self, pid: int) -> None:
        """Put a process into the group, with all its threads."""
        (self._group / "cgroup.procs").write_text(str(pid))

    def end(self) -> None:
        """Let its processes go on without a bound, and remove the group."""
        for pid in (self._group / "cgroup.procs").read_text().split():
            (ROOT / "cgroup.procs").write_text(pid)
        self._group.rmdir()

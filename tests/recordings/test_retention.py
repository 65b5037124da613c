"""Old recordings are deleted, and nothing else is."""

import os
from datetime import UTC, datetime

from vision_agent.recordings.call_files import CallFiles, RecordingLimits
from vision_agent.recordings.lines import HeaderLine, written
from vision_agent.recordings.retention import sweep

DAY_S = 86_400
NOW_S = 2_000_000_000.0


def test_only_old_folders_that_are_recordings_are_deleted(tmp_path):
    def recording(name: str, days: float, header: str | None = None):
        folder = tmp_path / "calls" / name
        (folder / "frames").mkdir(parents=True)
        line = written(HeaderLine(at_ms=0, call_id="x")) if header is None else header
        (folder / "call.jsonl").write_text(line + "\n")
        (folder / "frames" / "000001.jpg").write_bytes(b"x")
        for path in (folder / "frames", folder / "call.jsonl"):
            os.utime(path, (NOW_S - days * DAY_S,) * 2)
        return folder

    old = recording("2026-11-26T19-40-12Z-0123abcd", 31)
    numbered = recording("2026-11-26T19-40-12Z-0123abcd-2", 31)
    recent = recording("2026-11-26T19-40-12Z-11111111", 29)
    own_name = recording("holidays", 400)
    not_ours = recording("2026-11-26T19-40-12Z-22222222", 400, header="my notes")
    elsewhere = recording("../2026-11-26T19-40-12Z-33333333", 400)
    link = tmp_path / "calls" / "2026-11-26T19-40-12Z-33333333"
    link.symlink_to(elsewhere)
    inside = recording("2026-11-26T19-40-12Z-44444444", 31)
    (inside / "more").symlink_to(own_name)
    os.utime(inside / "more", (NOW_S - 31 * DAY_S,) * 2, follow_symlinks=False)
    pipe = recording("2026-11-26T19-40-12Z-55555555", 31) / "call.jsonl"
    pipe.unlink()
    os.mkfifo(pipe)  # reading it would block
    assert sweep(tmp_path / "calls", 30 * DAY_S, NOW_S) == 3
    left = {old, numbered, recent, own_name, not_ours, link, inside, pipe.parent, elsewhere}
    assert {path for path in left if path.exists()} == left - {old, numbered, inside}
    assert (own_name / "call.jsonl").exists()


def test_the_recording_of_a_call_in_which_nothing_happens_is_not_old(tmp_path):
    header = HeaderLine(at_ms=0, call_id="0123abcd")
    limits = RecordingLimits(tmp_path, min_free_bytes=0)
    files = CallFiles(header, datetime.now(UTC), limits, 0.0)
    files.begin(0.0)
    for path in files.folder.iterdir():
        os.utime(path, (1e9, 1e9))
    files.check(3600.0)
    assert sweep(tmp_path, 3600.0) == 0
    files.close(0, None, 0)


def test_a_folder_that_is_gone_is_no_failure(tmp_path):
    assert sweep(tmp_path / "gone", DAY_S) == 0

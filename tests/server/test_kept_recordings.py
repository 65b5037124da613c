"""A folder that can't hold recordings is refused before any call is made."""

import pytest

from vision_agent import Settings
from vision_agent.server.kept_recordings import CannotRecord, prepare_recordings


def test_the_folder_is_made_for_its_owner_alone_or_told_in_words(tmp_path):
    (file := tmp_path / "file").touch()
    (dangling := tmp_path / "link").symlink_to(tmp_path / "gone" / "x")
    for folder, words in [
        (file, "It is not a folder"),
        (dangling, "It is not a folder"),
        (file / "below", "Not a directory"),
    ]:
        with pytest.raises(CannotRecord) as told:
            prepare_recordings(Settings(_env_file=None, record=folder))
        assert str(told.value) == f"Calls can't be recorded in {folder}: {words}."
    made = tmp_path / "new" / "calls"
    prepare_recordings(Settings(_env_file=None, record=made))
    assert made.stat().st_mode & 0o777 == 0o700

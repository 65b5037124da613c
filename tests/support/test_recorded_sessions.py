"""The recordings are those that their source published, and can be read."""

import hashlib

import pytest

from tests.support.recorded_sessions import RECORDINGS, recorded_sessions


def test_every_recording_has_the_hash_that_stands_beside_it():
    for sums in RECORDINGS.glob("*/SHA256SUMS"):
        listed = dict(reversed(line.split()) for line in sums.read_text().splitlines())
        found = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sums.parent.glob("*.jsonl")
        }
        assert found == listed
        assert (sums.parent / "LICENSE").is_file()


@pytest.mark.parametrize("session", recorded_sessions(), ids=lambda session: session.name)
def test_a_session_begins_with_a_setup_and_its_confirmation(session):
    assert [line.sender for line in session.messages[:2]] == ["client", "server"]
    assert session.model.startswith("gemini-")
    assert "setupComplete" in session.sent_by("server")[0]

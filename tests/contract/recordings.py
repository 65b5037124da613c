"""``python -m tests.contract.recordings FILE…``: recorded sessions against the local Live API.

A file holds a session of the real service, one message a line (`tests/recordings/README.md`). The
client's half of each is played to the local Live API, and the habits of both servers are compared.
Without files the project's own recordings are played. The exit status is 1 if a habit differs.
`recorded_habits.json` holds the habits of these recordings: what is known of the service, reduced
to facts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.habits import Habits, habits
from tests.contract.player import play
from tests.support.recorded_sessions import RecordedSession, read_recording, recorded_sessions

KNOWN: dict[str, Habits] = json.loads(
    (Path(__file__).parent / "recorded_habits.json").read_text(encoding="utf-8")
)
"""The habits of each of the project's recordings, by its name."""

_AT_ONCE = 8


@dataclass(frozen=True)
class Comparison:
    """How the habits of two servers compare in one session.

    Attributes:
        name: The session's name.
        same: How many habits are the same.
        differing: The others: as recorded, and as the local Live API has them.
    """

    name: str
    same: int
    differing: dict[str, tuple[Any, Any]]

    @classmethod
    def of(cls, name: str, recorded: Habits, local: Habits) -> Comparison:
        """Compares two servers' habits; one that only one of them has differs."""
        names = recorded.keys() | local.keys()
        differing = {
            habit: (recorded.get(habit), local.get(habit))
            for habit in sorted(names)
            if recorded.get(habit) != local.get(habit)
        }
        return cls(name, len(names) - len(differing), differing)

    @property
    def count(self) -> int:
        """How many habits were compared."""
        return self.same + len(self.differing)

    def lines(self) -> list[str]:
        """The comparison as lines of text."""
        found = [f"{self.name}: {self.same} of {self.count} habits the same"]
        for habit, (recorded, local) in self.differing.items():
            found += [
                f"  {habit}",
                f"    recorded: {_said(recorded)}",
                f"    local:    {_said(local)}",
            ]
        return found


async def compare(sessions: Sequence[RecordedSession]) -> list[Comparison]:
    """Plays each session to a server of its own."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(session: RecordedSession) -> Comparison:
        async with free:
            played = await play(session)
        return Comparison.of(session.name, habits(session.messages), habits(played))

    return await asyncio.gather(*map(one, sessions))


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(files: Sequence[str]) -> int:
    sessions = [read_recording(Path(file)) for file in files] if files else recorded_sessions()
    comparisons = asyncio.run(compare(sessions))
    for comparison in comparisons:
        print("\n".join(comparison.lines()))
    same = sum(comparison.same for comparison in comparisons)
    count = sum(comparison.count for comparison in comparisons)
    sessions_word = "session" if len(comparisons) == 1 else "sessions"
    print(f"{same} of {count} habits the same in {len(comparisons)} {sessions_word}")
    return 0 if same == count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

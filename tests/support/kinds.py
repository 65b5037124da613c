"""What kind of test a file holds: each is a marker, given by the file's place in the tree.

`make test-fast` runs what has no kind.
"""

from __future__ import annotations

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "browser": ("a Chromium shows the page", ("tests/browser/",)),
    "clients": ("clients of other houses call", ("tests/clients/", "tests/javascript/")),
    "soak": ("calls for minutes, or by the hundred", ("tests/soak/",)),
    "wheel": ("the built package, or a tutorial, from beginning to end", ("tests/test_wheel.py",)),
    "engine": ("the local engine hears, sees and speaks", ("tests/samples/",)),
}
"""The markers, with what they mean and where they belong: beginnings of paths from the root."""


def kind_of(nodeid: str) -> str | None:
    """The marker of a test, by its node id; None for those that are quick."""
    for kind, (_, places) in KINDS.items():
        if nodeid.startswith(places):
            return kind
    return None

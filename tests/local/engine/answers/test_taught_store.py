"""Taught things are stored by user and atomically, and a broken file is put aside."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_agent.local.engine.answers.taught_file import (
    MOST_THINGS,
    MOST_VIEWS,
    UnreadableFile,
    decode,
    encode,
)
from vision_agent.local.engine.answers.taught_store import (
    MOST_PASSING,
    PASSING,
    PASSING_KEPT_S,
    NoRoom,
    TaughtStore,
)
from vision_agent.local.engine.sight import Taught


def view(seed: int = 0, points: int = 30) -> Taught:
    random = np.random.default_rng(seed)
    return Taught(
        random.uniform(0, 200, (points, 2)).astype(np.float32),
        random.integers(0, 256, (points, 128), np.uint8),
        (200.0, 150.0),
        ((17, 0.5), (400, 0.25)),
        (0.3, 0.9, 0.8, 0.7),
        (0.1, -0.05),
    )


def same(first: Taught, second: Taught) -> bool:
    return (
        np.array_equal(first.points, second.points)
        and np.array_equal(first.descriptors, second.descriptors)
        and (first.size_px, first.colours, first.outline, first.tint)
        == (second.size_px, second.colours, second.outline, second.tint)
    )


def test_what_is_taught_is_there_after_a_restart_and_only_for_its_user(tmp_path: Path) -> None:
    store = TaughtStore(tmp_path / "taught")
    store.teach("ann", "mug", "my", view(1))
    store.teach("", "box", "a", view(2))

    again = TaughtStore(tmp_path / "taught")
    [mug] = again.things("ann")
    assert (mug.name, mug.called) == ("mug", "your mug")
    assert same(mug.views[0], view(1))
    assert [thing.called for thing in again.things("")] == ["a box"]
    assert again.things("../../etc/passwd") == ()
    assert {path.suffix for path in (tmp_path / "taught").iterdir()} == {".json"}


def test_another_look_adds_a_view_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    store = TaughtStore(tmp_path)
    for seed in range(MOST_VIEWS + 2):
        things = store.teach("ann", "mug", "my", view(seed))
    assert len(things) == 1
    assert len(things[0].views) == MOST_VIEWS
    assert same(things[0].views[-1], view(MOST_VIEWS + 1))


def test_two_servers_on_one_folder_see_what_the_other_was_taught(tmp_path: Path) -> None:
    first, second = TaughtStore(tmp_path), TaughtStore(tmp_path)
    assert second.things("ann") == ()
    first.teach("ann", "mug", "my", view(1))
    second.teach("ann", "book", "my", view(2, points=31))
    assert [thing.name for thing in first.things("ann")] == ["mug", "book"]


def test_forgetting_one_or_all(tmp_path: Path) -> None:
    store = TaughtStore(tmp_path)
    for name in ("mug", "book", "key"):
        store.teach("ann", name, "my", view())
    assert store.forget("ann", "mug") == ("mug",)
    assert store.forget("ann", "mug") == ()
    assert store.forget("ann") == ("book", "key")
    assert TaughtStore(tmp_path).things("ann") == ()


def test_a_broken_file_is_put_aside_and_told_once(tmp_path: Path) -> None:
    store = TaughtStore(tmp_path)
    store.teach("ann", "mug", "my", view())
    store.path("ann").write_bytes(b'{"version": 1, "things": [{"na')

    assert store.things("ann") == ()
    aside = store.take_notice("ann")
    assert aside is not None
    assert aside.read_bytes().endswith(b'"na')
    assert store.take_notice("ann") is None
    store.teach("ann", "book", "my", view())
    assert [thing.name for thing in TaughtStore(tmp_path).things("ann")] == ["book"]
    assert aside.exists()


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TaughtStore(tmp_path)
    store.teach("ann", "mug", "my", view())

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        store.teach("ann", "book", "my", view())
    assert [thing.name for thing in TaughtStore(tmp_path).things("ann")] == ["mug"]
    assert len(list(tmp_path.iterdir())) == 1


def test_there_is_room_for_so_many_things(tmp_path: Path) -> None:
    store = TaughtStore(tmp_path)
    for number in range(MOST_THINGS):
        store.teach("ann", f"thing {number}", "my", view(points=1))
    with pytest.raises(NoRoom, match="forget one first"):
        store.teach("ann", "one more", "my", view(points=1))
    store.teach("ann", "thing 3", "my", view(points=1))


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        decode(data)


@settings(max_examples=60)
@given(
    field=st.sampled_from(
        ["name", "whose", "views", "points", "descriptors", "size_px", "colours", "outline", "tint"]
    ),
    value=st.one_of(
        st.none(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers())
    ),
)
def test_a_field_of_another_kind_is_refused_or_harmless(field: str, value: object) -> None:
    from vision_agent.local.engine.sight import TaughtThing

    document = json.loads(encode([TaughtThing("mug", "my", (view(),))]))
    place = document["things"][0]
    if field not in place:
        place = place["views"][0]
    place[field] = value
    try:
        things = decode(json.dumps(document).encode())
    except UnreadableFile:
        return
    assert all(isinstance(thing.name, str) for thing in things)


def test_what_a_passing_user_teaches_is_forgotten_within_a_day(tmp_path: Path) -> None:
    store = TaughtStore(tmp_path)
    store.teach(f"{PASSING}1", "mug", "my", view())
    store.teach("ann", "mug", "my", view())
    assert [thing.name for thing in TaughtStore(tmp_path).things(f"{PASSING}1")] == ["mug"]
    for path in tmp_path.iterdir():
        old_s = path.stat().st_mtime - PASSING_KEPT_S - 60
        os.utime(path, (old_s, old_s))
    store.teach("bob", "box", "a", view())
    assert TaughtStore(tmp_path).things(f"{PASSING}1") == ()
    assert [thing.name for thing in TaughtStore(tmp_path).things("ann")] == ["mug"]


def test_passing_users_take_no_room_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision_agent.local.engine.answers.taught_store.MOST_USERS", 1)
    store = TaughtStore(tmp_path)
    for number in range(MOST_PASSING + 5):
        store.teach(f"{PASSING}{number}", "mug", "my", view(points=1))
    assert len(list(tmp_path.iterdir())) == MOST_PASSING
    assert store.things(f"{PASSING}{MOST_PASSING + 4}")
    store.teach("ann", "mug", "my", view())
    with pytest.raises(NoRoom):
        store.teach("bob", "mug", "my", view())


def test_a_user_whose_name_is_the_hash_of_anothers_does_not_get_their_things(
    tmp_path: Path,
) -> None:
    store = TaughtStore(tmp_path)
    store.teach("ann", "mug", "my", view())
    for name in (hashlib.sha256(b"ann").hexdigest()[:32], store.path("ann").stem):
        assert not TaughtStore(tmp_path).things(name)

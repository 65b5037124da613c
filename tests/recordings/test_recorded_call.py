"""A recorded call is read even from a damaged file, or refused in words."""

import json
import os

import pytest

from vision_agent.recordings import recorded_call
from vision_agent.recordings.lines import (
    MAX_LINE_CHARS,
    CallLine,
    FrameLine,
    HeaderLine,
    Line,
    OtherLine,
    ReceivedLine,
    SpokenLine,
    ToolResultLine,
    read,
    written,
    written_message,
)
from vision_agent.recordings.recorded_call import BadRecordedCall, RecordedCall

HEADER = written(HeaderLine(at_ms=0, call_id="3f2a", agent="basic", model="local", started="…"))


@pytest.fixture
def recorded(tmp_path):
    """Write a `call.jsonl` of these lines, and read it."""

    def of(*lines: str, end: str = "\n") -> RecordedCall:
        (tmp_path / "call.jsonl").write_text("\n".join(lines) + end, encoding="utf-8")
        return RecordedCall.open(tmp_path / "call.mkv")

    return of


def example(kind: type[CallLine]) -> CallLine:
    """A line with only the required fields of its kind."""
    values = {"str": "x", "int": 3, "bool": True}
    fields = {}
    for name, field in kind.model_fields.items():
        if field.is_required():
            known = getattr(field.annotation, "__name__", "")
            choice = getattr(field.annotation, "__args__", ("",))[0]
            fields[name] = {} if known == "dict" or choice is str else values.get(known, choice)
    return kind.model_validate(fields)


def test_every_kind_is_read_as_it_was_written(recorded):
    kinds = [kind for kind in Line.__args__ if kind is not OtherLine]
    lines = [example(kind) for kind in kinds]
    assert [type(read(written(line))) for line in lines] == kinds
    assert [read(written(line)) for line in lines] == lines
    assert recorded(*map(written, lines)).lines[0] == lines[0]


def test_a_message_is_kept_as_it_came_on_one_line():
    pretty = json.dumps({"type": "send-text", "data": {"content": "a\nb\u2028c"}}, indent=1)
    text = written_message("received", 20, pretty)
    assert "\n" not in text
    assert read(text) == ReceivedLine(at_ms=20, message=json.loads(pretty))


def test_what_is_too_long_or_no_json_is_written_short():
    class Odd:
        def __repr__(self):
            return "odd"

    whole = ToolResultLine(at_ms=1, id="a", name="t", result={"picture": Odd()})
    assert read(written(whole)).result == {"picture": "(Odd) odd"}
    text = written(whole.model_copy(update={"result": {"text": "x" * (MAX_LINE_CHARS + 1)}}))
    assert len(text) < 50_000
    assert read(text).name == "t"
    assert "cut" in read(text).result


def test_a_killed_recording_is_read_without_its_last_line(recorded):
    said = written(SpokenLine(at_ms=40, who="user", text="grüß dich"))
    call = recorded(HEADER, said, said[:20], end="")
    assert [line.at_ms for line in call.lines] == [0, 40]
    assert call.unread == 0
    assert call.lines[1].text == "grüß dich"


def test_lines_that_cannot_be_read_are_counted_and_unknown_ones_kept(recorded):
    call = recorded(
        HEADER,
        "{",
        "[1]",
        '{"kind": "sent"}',
        "x" * (4 * MAX_LINE_CHARS + 10),
        '{"at_ms": 7, "kind": "gesture", "what": "wave"}',
        '{"at_ms": -3, "kind": "frame", "file": 3}',
        '{"at_ms": 1' + "0" * 400 + ', "kind": "interrupted"}',
    )
    assert call.unread == 5
    assert [(line.at_ms, line.of) for line in call.lines[2:]] == [(7, "gesture")]
    assert call.lines[1].of == "frame"


def test_a_part_of_a_call_has_its_lines(recorded):
    call = recorded(
        HEADER, *(written(SpokenLine(at_ms=at, who="user", text=".")) for at in (10, 20, 30))
    )
    assert [line.at_ms for line in call.between(10, 30)] == [10, 20]
    assert [line.at_ms for line in call.between(None, None)] == [0, 10, 20, 30]


def test_what_is_no_recorded_call_is_refused_in_words(tmp_path, recorded, monkeypatch):
    with pytest.raises(BadRecordedCall, match=r"there is no call\.jsonl beside it"):
        RecordedCall.open(tmp_path / "holiday.mp4")
    with pytest.raises(BadRecordedCall, match="does not begin as a recorded call does"):
        recorded(written(SpokenLine(at_ms=0, who="user", text="hello")))
    with pytest.raises(BadRecordedCall, match="does not begin"):
        recorded("")
    with pytest.raises(BadRecordedCall, match="later version"):
        recorded(HEADER.replace('"format": 1', '"format": 2'))
    monkeypatch.setattr(recorded_call, "MAX_LINES", 3)
    with pytest.raises(BadRecordedCall, match="more than 3 lines"):
        recorded(HEADER, *[written(SpokenLine(at_ms=0, who="user", text="x"))] * 3)
    (tmp_path / "call.jsonl").unlink()
    os.mkfifo(tmp_path / "call.jsonl")
    with pytest.raises(BadRecordedCall, match="is not a file"):
        RecordedCall.open(tmp_path)


def test_a_frame_outside_of_the_folder_is_refused(recorded):
    call = recorded(HEADER, written(example(FrameLine)))
    assert call.frame("frames/000001.jpg").name == "000001.jpg"
    with pytest.raises(BadRecordedCall, match="is not in"):
        call.frame("../../etc/passwd")
    with pytest.raises(BadRecordedCall, match="is not in"):
        call.frame("frames/\0.jpg")

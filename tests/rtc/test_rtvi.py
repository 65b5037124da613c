import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.rtc import rtvi


def rtvi_text(kind: str, data: object = None, **fields: object) -> str:
    return json.dumps({"label": "rtvi-ai", "type": kind, "id": "7", "data": data} | fields)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("ping: 1234", rtvi.Ping()),
        (rtvi_text("client-ready", {"version": "2.1.0"}), rtvi.ClientReady("7", "2.1.0")),
        (rtvi_text("client-ready"), rtvi.ClientReady("7", "")),
        (rtvi_text("send-text", {"content": "hi", "options": {}}), rtvi.SendText("hi")),
        (
            rtvi_text("client-message", {"t": "a", "d": [1]}),
            rtvi.ClientMessage("7", "a", [1]),
        ),
        (rtvi_text("disconnect-bot"), rtvi.Goodbye()),
        (rtvi_text("dtmf", {"buttons": ["1", "*", "#"]}), rtvi.SendText("DTMF: 1*#")),
        (rtvi_text("dtmf", {"button": "5"}), rtvi.SendText("DTMF: 5")),
        (
            rtvi_text("ui-event", {"event": "opened", "payload": {"page": 2, "of": "Ä"}}),
            rtvi.AppendToContext(False, 'UI event: opened {"page": 2, "of": "Ä"}'),
        ),
        (
            rtvi_text("ui-event", {"event": "closed"}),
            rtvi.AppendToContext(False, "UI event: closed"),
        ),
        (
            rtvi_text("append-to-context", {"role": "assistant", "content": "I know."}),
            rtvi.AppendToContext(True, "I know."),
        ),
        (
            rtvi_text(
                "append-to-context",
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Now?"}, "Yes."],
                    "run_immediately": True,
                },
            ),
            rtvi.SendText("Now?\nYes."),
        ),
        (
            '{"type":"signalling","message":'
            '{"type":"trackStatus","receiver_index":1,"enabled":false}}',
            rtvi.TrackStatus(1, False),
        ),
    ],
)
def test_what_clients_say_is_understood(text, meaning):
    assert rtvi.parse(text) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "12",
        "null",
        b"\0\1",
        '{"type":"client-ready","id":"1"}',
        '{"label":"rtvi-ai"}',
        '{"label":"rtvi-ai","type":7}',
        rtvi_text("no-such-type"),
        rtvi_text("send-text"),
        rtvi_text("send-text", {"content": " "}),
        rtvi_text("send-text", {"content": 5}),
        rtvi_text("client-message", {"d": 1}),
        rtvi_text("client-ready", id=None),
        *(rtvi_text("dtmf", {"buttons": keys}) for keys in ([], ["a"], [["1"]], "1", ["1"] * 65)),
        rtvi_text("dtmf", {}),
        rtvi_text("ui-event", {"event": ""}),
        rtvi_text("ui-event", {"event": "x", "payload": "y" * 5_000}),
        rtvi_text("append-to-context", {"role": "user", "content": [{"image": "x"}]}),
        *(rtvi_text(kind, {}) for kind in ("llm-function-call-result", "ui-snapshot")),
        '{"type":"signalling"}',
        '{"type":"signalling","message":{"type":"trackStatus","receiver_index":"1"}}',
        "[" * 60_000,
        rtvi_text("send-text", {"content": "x" * 70_000}),
    ],
)
def test_what_is_malformed_is_refused_in_a_sentence(text):
    with pytest.raises(rtvi.BadMessage, match=r"^[A-Za-z].*\.$"):
        rtvi.parse(text)


@given(st.text() | st.binary())
def test_no_input_raises_anything_else(text):
    with contextlib.suppress(rtvi.BadMessage):
        rtvi.parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {
            "label": st.just("rtvi-ai"),
            "type": st.sampled_from(
                ["client-ready", "send-text", "client-message", "disconnect-bot", "signalling"]
            ),
        },
        optional={"id": json_values, "data": json_values, "message": json_values},
    )
)
def test_no_json_raises_anything_else(body):
    with contextlib.suppress(rtvi.BadMessage):
        rtvi.parse(json.dumps(body))


def test_messages_carry_label_type_id_and_data():
    assert rtvi.message("x", "3", {"a": "é"}) == {
        "label": "rtvi-ai",
        "type": "x",
        "id": "3",
        "data": {"a": "é"},
    }
    assert "data" not in rtvi.message("user-started-speaking", "4")


def test_a_text_is_taken_up_to_its_bound_and_a_longer_one_is_refused_with_both_numbers():
    assert rtvi.parse(rtvi_text("send-text", {"content": "x" * 4_000})) == rtvi.SendText(
        "x" * 4_000
    )
    with pytest.raises(rtvi.BadMessage, match="4001 characters, and at most 4000"):
        rtvi.parse(rtvi_text("send-text", {"content": "x" * 4_001}))


def test_what_is_no_text_is_left_out_of_what_was_typed():
    typed = rtvi_text("send-text", {"content": "one\0 two\ud800\x1b[31m\nthree"})
    assert rtvi.parse(typed) == rtvi.SendText("one two?[31m\nthree")
    with pytest.raises(rtvi.BadMessage, match="some words"):
        rtvi.parse(rtvi_text("send-text", {"content": "\0\x07"}))


@pytest.mark.parametrize(
    "text",
    [
        rtvi_text("client-message", {"t": "x"}, id="9" * 201),
        rtvi_text("client-message", {"t": "x" * 101}),
        '{"label":"rtvi-ai","type":"x","id":' + "9" * 5_000 + "}",
        '{"a":' * 12_000 + "1" + "}" * 12_000,
    ],
)
def test_ids_names_numbers_and_depth_are_bounded(text):
    with pytest.raises(rtvi.BadMessage):
        rtvi.parse(text)

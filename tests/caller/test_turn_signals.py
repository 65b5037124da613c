import pytest

from vision_agent.caller.turn_signals import signals_turns


@pytest.mark.parametrize(
    ("asked", "signals"),
    [
        ({}, False),
        ({"voice_activity_detection": None}, False),
        ({"voice_activity_detection": True}, False),
        ({"voice_activity_detection": False}, True),
        ({"voiceActivityDetection": "off"}, True),
        ({"voice_activity_detection": "False"}, True),
    ],
)
def test_turns_are_signalled_where_the_call_switches_their_detection_off(asked, signals):
    assert signals_turns(asked) is signals


@pytest.mark.parametrize("asked", [{}, {"voice_activity_detection": False}])
@pytest.mark.parametrize("detected", [True, False])
def test_what_the_server_says_of_the_call_holds_over_what_was_asked(asked, detected):
    assert signals_turns(asked, detected) is not detected

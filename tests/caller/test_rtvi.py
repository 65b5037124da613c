import json

from vision_agent.caller.rtvi import client_ready, send_text


def test_the_handshake_is_an_rtvi_client_ready() -> None:
    message = json.loads(client_ready("7", "0.1"))
    assert (message["label"], message["type"], message["id"]) == ("rtvi-ai", "client-ready", "7")
    assert message["data"]["version"] == "2.1.0"


def test_a_typed_question_asks_for_a_spoken_answer_at_once() -> None:
    message = json.loads(send_text("7", "what is this?"))
    assert message["type"] == "send-text"
    assert message["data"]["content"] == "what is this?"
    assert message["data"]["options"] == {"run_immediately": True, "audio_response": True}

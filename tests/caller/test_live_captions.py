from vision_agent.caller.live_captions import LiveCaptions


def test_captions_grow_word_by_word_and_go_when_the_line_is_whole() -> None:
    shown: list[tuple[str, str]] = []
    states: list[str] = []
    captions = LiveCaptions(lambda who, text: shown.append((who, text)), states.append)
    captions.feed('{"type": "user-transcription", "data": {"text": "what", "final": false}}')
    captions.feed('{"type": "bot-tts-text", "data": {"text": "I "}}')
    captions.feed('{"type": "bot-tts-text", "data": {"text": "see"}}')
    captions.feed('{"type": "bot-transcription", "data": {"text": "I see"}}')
    captions.feed('{"type": "server-message", "data": {"kind": "state", "state": "speaking"}}')
    for nonsense in ("", "[]", '{"data": 3}', "ping"):
        captions.feed(nonsense)
    assert shown == [("user", "what"), ("agent", "I "), ("agent", "I see"), ("agent", "")]
    assert states == ["speaking"]

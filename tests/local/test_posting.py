"""A request's body is split off, and the WebSocket library gets a plain GET."""

from __future__ import annotations

from vision_agent.local.posting import MAX_BODY_BYTES, MAX_HEAD_BYTES, read_posted

HEAD = (
    b"POST /v1alpha/auth_tokens?key=k HTTP/1.1\r\nHost: a\r\ncontent-length: 2\r\n"
    b"Content-Type: application/json\r\nX-Goog-Api-Key: k\r\n\r\n"
)


def test_a_request_is_complete_when_all_of_its_body_is_there() -> None:
    whole = HEAD + b"{}"
    for end in range(len(whole)):
        assert read_posted(whole[:end]) is None
    posted = read_posted(whole)
    assert posted is not None
    assert (posted.method, posted.body) == ("POST", b"{}")
    assert posted.as_get == (
        b"GET /v1alpha/auth_tokens?key=k HTTP/1.1\r\nHost: a\r\nX-Goog-Api-Key: k\r\n\r\n"
    )


def test_a_body_of_unknown_or_great_length_is_not_waited_for() -> None:
    for length in (b"chunked", str(MAX_BODY_BYTES + 1).encode(), b"-1", b""):
        posted = read_posted(HEAD.replace(b": 2", b": " + length))
        assert posted is not None
        assert posted.body is None
    chunked = read_posted(HEAD.replace(b"content-length: 2", b"Transfer-Encoding: chunked"))
    assert chunked is not None
    assert chunked.body is None
    assert b"Transfer-Encoding" not in chunked.as_get


def test_a_head_without_an_end_is_handed_on_and_not_collected_for_ever() -> None:
    endless = b"POST / HTTP/1.1\r\n" + b"a" * MAX_HEAD_BYTES
    posted = read_posted(endless)
    assert posted is not None
    assert posted.as_get == endless

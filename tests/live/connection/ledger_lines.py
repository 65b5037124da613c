"""Short forms of what both sides of a conversation write into a ledger."""

from __future__ import annotations

from google.genai import types

from vision_agent.live.connection.ledger import Ledger, Replay

LOUD, QUIET = b"\x00\x10" * 320, bytes(640)


def user(text: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part(text=text)])


def model(text: str) -> types.Content:
    return types.Content(role="model", parts=[types.Part(text=text)])


def result(
    call_id: str, value: object = 1, scheduling: types.FunctionResponseScheduling | None = None
) -> types.Content:
    response = types.FunctionResponse(
        id=call_id, name="measure", response={"v": value}, scheduling=scheduling
    )
    return types.Content(role="user", parts=[types.Part(function_response=response)])


def says(ledger: Ledger, text: str = "", **content: object) -> None:
    said = types.Transcription(text=text) if text else None
    part = types.LiveServerContent(output_transcription=said, **content)
    ledger.received(types.LiveServerMessage(server_content=part))


def hears(ledger: Ledger, text: str) -> None:
    heard = types.LiveServerContent(input_transcription=types.Transcription(text=text))
    ledger.received(types.LiveServerMessage(server_content=heard))


def hands(ledger: Ledger, handle: str | None) -> None:
    update = types.LiveServerSessionResumptionUpdate(
        new_handle=handle, resumable=handle is not None
    )
    ledger.received(types.LiveServerMessage(session_resumption_update=update))


def calls(ledger: Ledger, *ids: str, taken: bool = True) -> None:
    functions = [types.FunctionCall(id=call_id, name="measure", args={}) for call_id in ids]
    tool_call = types.LiveServerToolCall(function_calls=functions)
    ledger.received(types.LiveServerMessage(tool_call=tool_call))
    if taken:
        parts = [types.Part(function_call=call) for call in functions]
        ledger.passed_on(types.Content(role="model", parts=parts))


def cancels(ledger: Ledger, *ids: str) -> None:
    cancellation = types.LiveServerToolCallCancellation(ids=list(ids))
    ledger.received(types.LiveServerMessage(tool_call_cancellation=cancellation))


def speaks(ledger: Ledger, pcm: bytes, count: int) -> None:
    for _ in range(count):
        ledger.sent_audio(types.Blob(data=pcm, mime_type="audio/pcm;rate=16000"))


def told(replay: Replay) -> list[str]:
    return [line(content) for content in replay.contents]


def line(content: types.Content) -> str:
    part = (content.parts or [types.Part()])[0]
    if part.function_call:
        return f"call {part.function_call.id}"
    if part.function_response:
        return f"result {part.function_response.id}"
    return f"{content.role}: {part.text}"


def answered(ledger: Ledger, question: str, answer: str) -> None:
    ledger.sent_content(user(question))
    says(ledger, answer)
    says(ledger, generation_complete=True)
    says(ledger, turn_complete=True)

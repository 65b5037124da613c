"""Classifies contents, and rewrites them in another form. Pure."""

from __future__ import annotations

import json

from google.genai import types

from vision_agent.live.adk_hooks import TRANSFER_TOOL
from vision_agent.live.media import images_of


def hands_over(content: types.Content) -> bool:
    """Whether it hands the conversation to another agent: the result of ADK's transfer tool.

    That tool returns nothing; a transfer that was refused has a reason.
    """
    responses = [p.function_response for p in content.parts or [] if p.function_response]
    return any(
        response.name == TRANSFER_TOOL and response.response == {"result": None}
        for response in responses
    )


def as_words(contents: list[types.Content]) -> types.Content | None:
    """The caller's words as one content, after the pictures that they are about.

    None if the contents are more than that.
    """
    parts = [part for content in contents for part in content.parts or []]
    if any(c.role != "user" for c in contents) or not any(part.text for part in parts):
        return None
    if not all(part.text or part.inline_data for part in parts):
        return None
    text = "\n".join(part.text for part in parts if part.text)
    images = [part for part in parts if part.inline_data]
    return types.Content(role="user", parts=[*images, types.Part(text=text)])


def tools_in_words(contents: list[types.Content]) -> list[types.Content]:
    """The contents with tool calls and results as text, for a service that refuses them."""
    return [
        types.Content(
            role=content.role,
            parts=[told for part in content.parts or [] for told in _in_words(part)],
        )
        for content in contents
    ]


def _in_words(part: types.Part) -> list[types.Part]:
    if call := part.function_call:
        return [types.Part(text=f"(I use {call.name} with {json.dumps(call.args or {})}.)")]
    if response := part.function_response:
        result = json.dumps(response.response or {}, default=str)
        words = types.Part(text=f"({response.name} has given {result}.)")
        return [*images_of(response), words]
    return [part]

"""Pictures in contents: where a model sees them, and where they are not kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from google.genai import types

from vision_agent.live.shown import Shown, as_parts, is_label

READABLE = ("image/jpeg", "image/png", "image/webp")
"""The files that every live model reads. The 3.x models close the session over a PDF."""

MAX_FILE_BYTES = 2_000_000
"""Of one file in a tool's result; one that is larger is not sent."""

MAX_REPLAYED = 4
"""Contents that keep their files when they are sent again: together they fit into a message."""

_IMAGE = types.Part(text="(a picture)")


def as_content(blob: types.Blob) -> types.Part:
    """A picture as part of a content."""
    return types.Part(inline_data=blob)


def has_media(content: types.Content) -> bool:
    """Whether there are pictures or other files in it, its tool results included."""
    return any(
        part.inline_data or (part.function_response and part.function_response.parts)
        for part in content.parts or []
    )


def without_media(content: types.Content) -> types.Content:
    """The words and tool results of a content: a history does not keep files."""
    if not has_media(content):
        return content
    kept = [p for p in content.parts or [] if not (p.inline_data or is_label(p))]
    parts = [_bare(part) for part in kept]
    return types.Content(role=content.role, parts=parts or [_IMAGE])


def with_newest_media(contents: list[types.Content]) -> list[types.Content]:
    """The contents, of which only the newest `MAX_REPLAYED` with files keep them."""
    older = [index for index, content in enumerate(contents) if has_media(content)][:-MAX_REPLAYED]
    return [
        without_media(content) if index in older else content
        for index, content in enumerate(contents)
    ]


def readable_results(content: types.Content) -> types.Content:
    """The content without those files in tool results that a live model does not read.

    The result says which ones are missing, so that the model does not claim to have seen them.
    """
    if not has_media(content):
        return content
    return types.Content(role=content.role, parts=[_readable(part) for part in content.parts or []])


def shown_apart(content: types.Content) -> tuple[types.Content, types.Content | None]:
    """Tool results and their pictures, for a model that reads none in results.

    Returns:
        The results without pictures; and the pictures as a content, None if there are none.
    """
    shown: list[types.Part] = []
    for part in content.parts or []:
        if (response := part.function_response) and response.parts:
            shown += images_of(response)
            shown.append(types.Part(text=f"({response.name} has given this picture.)"))
    if not shown:
        return content, None
    return without_media(content), types.Content(role="user", parts=shown)


def images_of(response: types.FunctionResponse) -> list[types.Part]:
    """The pictures of a tool's result, as parts of a content."""
    blobs = [part.inline_data for part in response.parts or [] if part.inline_data]
    return [as_content(types.Blob(data=blob.data, mime_type=blob.mime_type)) for blob in blobs]


def with_frames(
    contents: list[types.Content], asked: int, shown: Sequence[Shown]
) -> list[types.Content]:
    """The contents with pictures in the newest question that has none.

    A question that was spoken is repeated in words, and words do not see streamed frames.

    Args:
        contents: A conversation.
        asked: How many of the contents, at the end, await an answer.
        shown: What the caller shows now.
    """
    if not shown:
        return contents
    for index in reversed(range(len(contents) - asked, len(contents))):
        content = contents[index]
        if content.role == "user" and any(part.text for part in content.parts or []):
            if has_media(content):
                break
            parts = [*as_parts(shown), *(content.parts or [])]
            with_it = types.Content(role="user", parts=parts)
            return [*contents[:index], with_it, *contents[index + 1 :]]
    return contents


def _bare(part: types.Part) -> types.Part:
    response = part.function_response
    if response is None or not response.parts:
        return part
    return types.Part(function_response=response.model_copy(update={"parts": None}))


def _readable(part: types.Part) -> types.Part:
    response = part.function_response
    if response is None or not response.parts:
        return part
    kept = [each for each in response.parts if _is_readable(each)]
    missing = [_kind(each) for each in response.parts if not _is_readable(each)]
    if not missing:
        return part
    result = {**(response.response or {}), "files_not_shown": missing}
    changed = response.model_copy(update={"parts": kept or None, "response": result})
    return types.Part(function_response=changed)


def _is_readable(part: types.FunctionResponsePart) -> bool:
    blob = part.inline_data
    if blob is None or not blob.data:
        return False
    return blob.mime_type in READABLE and len(blob.data) <= MAX_FILE_BYTES


def _kind(part: types.FunctionResponsePart) -> str:
    file = part.inline_data or part.file_data
    return (file.mime_type if file else None) or "unknown"

"""Images in contents: what a history keeps of them, and where a model gets them."""

from google.genai import types

from vision_agent.live.media import (
    MAX_FILE_BYTES,
    MAX_REPLAYED,
    readable_results,
    shown_apart,
    with_frames,
    with_newest_media,
    without_media,
)
from vision_agent.live.shown import Shown, as_parts

FRAME = types.Blob(data=b"\xff\xd8\xff", mime_type="image/jpeg")
SHOWN = [Shown(FRAME.data)]
IMAGE = types.Part(inline_data=FRAME)


def user(*parts: str | types.Part) -> types.Content:
    texts = [types.Part(text=part) if isinstance(part, str) else part for part in parts]
    return types.Content(role="user", parts=texts)


def gave(*files: tuple[bytes, str], name: str = "look") -> types.Part:
    parts = [types.FunctionResponsePart.from_bytes(data=d, mime_type=m) for d, m in files]
    response = types.FunctionResponse(name=name, response={"status": "Here."}, parts=parts or None)
    return types.Part(function_response=response)


JPEG = (b"\xff\xd8\xff", "image/jpeg")


def test_words_and_results_are_kept_and_images_are_not():
    assert without_media(user(IMAGE, "What is this?")) == user("What is this?")
    assert without_media(user(gave(JPEG))) == user(gave())
    assert without_media(user(IMAGE)) == user("(a picture)")
    words = user("hello")
    assert without_media(words) is words


def test_only_the_newest_contents_keep_their_images_and_all_keep_their_words():
    asked = [user(IMAGE, f"question {n}") for n in range(MAX_REPLAYED + 2)]
    asked.insert(1, user("words"))
    kept = with_newest_media(asked)
    assert [without_media(content) for content in kept] == [without_media(c) for c in asked]
    assert kept[-MAX_REPLAYED:] == asked[-MAX_REPLAYED:]
    assert kept[:3] == [without_media(content) for content in asked[:3]]


def test_a_tools_images_follow_its_results_as_one_content():
    results, shown = shown_apart(user(gave(JPEG), gave(name="measure"), gave(JPEG, name="scan")))
    assert results == user(gave(), gave(name="measure"), gave(name="scan"))
    assert shown == user(
        IMAGE, "(look has given this picture.)", IMAGE, "(scan has given this picture.)"
    )


def test_results_without_an_image_stay_as_they_are():
    results = user(gave())
    assert shown_apart(results) == (results, None)


def test_files_that_are_not_read_or_too_large_are_named_instead():
    large = (bytes(MAX_FILE_BYTES + 1), "image/png")
    content = readable_results(user(gave(JPEG, (b"%PDF-", "application/pdf"), large)))
    response = content.parts[0].function_response
    assert response.response == {
        "status": "Here.",
        "files_not_shown": ["application/pdf", "image/png"],
    }
    assert [part.inline_data.data for part in response.parts] == [JPEG[0]]
    fine = user(gave(JPEG))
    assert readable_results(fine) == fine


def test_a_history_keeps_no_label_of_a_picture_that_it_does_not_keep():
    shown = as_parts([Shown(JPEG[0], "screen"), Shown(JPEG[0])])
    content = types.Content(role="user", parts=[*shown, types.Part(text="Which?")])
    assert without_media(content) == user("Which?")


def test_the_newest_question_that_has_no_frame_gets_the_newest_one():
    said = types.Content(role="model", parts=[types.Part(text="A cup.")])
    before = [user("hello"), said]
    assert with_frames([*before, user("and this?")], 1, SHOWN) == [
        *before,
        user(IMAGE, "and this?"),
    ]
    for contents, asked in (
        ([*before, user(IMAGE, "and this?")], 1),  # it has its own
        (before, 0),  # nothing is asked
        ([user("measure it"), user(gave())], 1),  # a tool's result, not a question in words
    ):
        assert with_frames(contents, asked, SHOWN) == contents
    assert with_frames([user("and this?")], 1, []) == [user("and this?")]

"""An answer that a model gives twice is played once, however it is cut into pieces."""

import itertools

from google.adk.models.llm_response import LlmResponse
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.live.connection.answer_splice import OUTPUT_MIME, AnswerSplice, SplicedAnswer
from vision_agent.live.connection.received_answer import ReceivedAnswer

BYTES_PER_LETTER = 8
ANSWER = "The cup on the left is red, and there is tea in it."


def sound_of(text: str) -> bytes:
    """Sound whose samples encode their place in the text."""
    return b"".join(
        bytes([index % 256, ord(letter) % 256]) * (BYTES_PER_LETTER // 2)
        for index, letter in enumerate(text)
    )


def caption(text: str, *, final: bool = False) -> LlmResponse:
    said = types.Transcription(text=text, finished=final)
    return LlmResponse(output_transcription=said, partial=not final)


def voice(pcm: bytes) -> LlmResponse:
    part = types.Part(inline_data=types.Blob(data=pcm, mime_type=OUTPUT_MIME))
    return LlmResponse(content=types.Content(role="model", parts=[part]))


def pieces(data, cuts):
    edges = [0, *sorted(cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]


@st.composite
def givings(draw, text=ANSWER) -> list[LlmResponse]:
    """The answer as a model may stream it: words and sound cut anywhere, interleaved anyhow."""
    pcm = sound_of(text)
    cuts = st.lists(st.integers(1, len(text) - 1), max_size=8)
    captions = [caption(piece) for piece in pieces(text, draw(cuts))]
    halves = st.lists(st.integers(1, len(pcm) // 2 - 1), max_size=12)
    voices = [voice(piece) for piece in pieces(pcm, [2 * cut for cut in draw(halves)])]
    order = draw(st.permutations([0] * len(captions) + [1] * len(voices)))
    queues = [iter(captions), iter(voices)]
    return [next(queues[which]) for which in order]


def text_of(responses) -> str:
    said = [r.output_transcription for r in responses if r.output_transcription]
    return "".join(s.text or "" for s in said if not s.finished)


def pcm_of(responses) -> bytes:
    parts = [p for r in responses if r.content for p in r.content.parts or []]
    return b"".join(p.inline_data.data or b"" for p in parts if p.inline_data)


@given(st.data(), givings(), givings())
def test_what_was_heard_and_what_is_passed_on_make_the_answer_once(data, first, second):
    heard = first[: data.draw(st.integers(0, len(first)))]
    splice = AnswerSplice(ReceivedAnswer(text_of(heard), len(pcm_of(heard))))
    end = [caption(ANSWER, final=True), LlmResponse(turn_complete=True)]
    passed = [out for response in [*second, *end] for out in splice.feed(response)]
    both = heard + passed
    assert pcm_of(both) == sound_of(ANSWER)
    assert text_of(both).split() == ANSWER.split()
    assert not any(response.interrupted for response in passed)
    assert passed[-1].turn_complete
    assert [r for r in passed if r.output_transcription and r.output_transcription.finished]


OTHER = "A cup, I think."


@given(st.data(), givings(), givings(OTHER))
def test_another_answer_replaces_the_first_and_is_heard_whole(data, first, second):
    heard = first[: data.draw(st.integers(1, len(first)))]
    answer = ReceivedAnswer(text_of(heard), len(pcm_of(heard)))
    if len(answer.text.split()) < 2:
        answer.text = "The cup"
    splice = AnswerSplice(answer)
    passed = [
        out
        for response in [*second, LlmResponse(turn_complete=True)]
        for out in splice.feed(response)
    ]
    cut = next(i for i, response in enumerate(passed) if response.interrupted)
    assert pcm_of(passed[cut:]) == sound_of(OTHER)
    assert text_of(passed[cut:]).split() == OTHER.split()


def test_an_answer_of_which_nothing_was_heard_is_passed_on_as_it_is():
    splice = AnswerSplice(ReceivedAnswer())
    assert splice.joined
    response = caption("The")
    assert splice.feed(response) == [response]


def test_an_answer_that_is_shorter_this_time_ends():
    splice = AnswerSplice(ReceivedAnswer(ANSWER, 10_000))
    assert splice.feed(caption("The cup")) == []
    end = LlmResponse(turn_complete=True)
    assert splice.feed(end) == [end]
    assert splice.joined


def test_a_tool_call_in_it_is_passed_on_at_once():
    splice = AnswerSplice(ReceivedAnswer(ANSWER, 10_000))
    call = types.Part(function_call=types.FunctionCall(id="c", name="measure"))
    response = LlmResponse(content=types.Content(role="model", parts=[call]))
    assert splice.feed(response) == [response]


def test_an_answer_that_breaks_off_twice_continues_after_the_longest_part_received():
    answer = SplicedAnswer()
    assert not answer.broken_off(ReceivedAnswer("One two", 200), owed=True)
    # The second connection breaks before it has caught up.
    assert not answer.broken_off(ReceivedAnswer("One", 100), owed=True)
    sound = types.Part(inline_data=types.Blob(data=bytes(300), mime_type=OUTPUT_MIME))
    content = types.Content(role="model", parts=[sound])
    words = types.Transcription(text="One two three", finished=False)
    assert answer.feed(LlmResponse(content=content)) == []
    passed = answer.feed(LlmResponse(output_transcription=words))
    pcm = [p.inline_data.data for one in passed if one.content for p in one.content.parts]
    assert [len(data) for data in pcm] == [100]
    assert [one.output_transcription.text for one in passed if one.output_transcription] == [
        " three"
    ]


def test_a_turn_is_ended_here_if_the_answer_is_complete_or_nobody_asked_for_it():
    assert SplicedAnswer().broken_off(ReceivedAnswer("One", 100, whole=True), owed=False)
    assert SplicedAnswer().broken_off(ReceivedAnswer("One", 100), owed=False)
    assert not SplicedAnswer().broken_off(ReceivedAnswer(), owed=True)

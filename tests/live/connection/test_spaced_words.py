"""Pieces of a transcript get a space between them where the model leaves it out, and only there."""

from google.genai import types

from vision_agent.live.connection.spaced_words import SpacedWords

CALL = types.LiveServerMessage(tool_call=types.LiveServerToolCall(function_calls=[]))


def content(**fields: object) -> types.LiveServerMessage:
    return types.LiveServerMessage(server_content=types.LiveServerContent(**fields))


def joined(*pieces: str | types.LiveServerMessage, side: str = "output_transcription") -> str:
    """The text of a transcript's pieces, with other messages between them."""
    words, text = SpacedWords(), ""
    for piece in pieces:
        message = piece
        if isinstance(piece, str):
            message = content(**{side: types.Transcription(text=piece)})
        words.received(message)
        said = getattr(message.server_content, side) if message.server_content else None
        text += said.text if said else ""
    return text


def test_pieces_that_bring_their_spaces_stay_as_they_are():
    assert joined("It is", " 12", " degrees.") == "It is 12 degrees."
    assert joined("The image shows a ", "kiwi.") == "The image shows a kiwi."
    assert joined(" Hello", ",", " my", " name") == " Hello, my name"
    assert joined("It is 3.", "5 m long") == "It is 3.5 m long"
    assert joined("see example.", "com") == "see example.com"


def test_sentences_are_apart_on_both_sides():
    assert joined("Hello.", "How are you?") == "Hello. How are you?"
    assert joined("Tell me.", "What is it?", side="input_transcription") == "Tell me. What is it?"


def test_an_answer_that_goes_on_after_a_tool_call_or_a_pause_is_apart():
    assert joined("One moment", CALL, "it is foggy.") == "One moment it is foggy."
    whole = content(generation_complete=True)
    assert joined("I am looking,", whole, "and it is foggy.") == "I am looking, and it is foggy."
    more = content(turn_complete=True, interaction_status=types.InteractionStatus.IN_PROGRESS)
    assert joined("Let me think", whole, more, "it is noon") == "Let me think it is noon"


def test_an_answer_begins_without_a_space():
    assert joined("Yes.", content(turn_complete=True), "No.") == "Yes.No."
    assert joined(CALL, "It is foggy.") == "It is foggy."
    assert joined("Yes, I", content(interrupted=True), "No.") == "Yes, INo."


def test_messages_without_words_change_nothing():
    assert joined("It", types.LiveServerMessage(), content(), " is", content(), ".") == "It is."

from vision_agent.calls.caller_transcript import CallerTranscript


def test_what_is_understood_so_far_is_told_whole_each_time():
    transcript = CallerTranscript()
    told = [transcript.piece(piece) for piece in ("Can you", " please tell", " me.", " What is it")]
    assert told == [
        "Can you",
        "Can you please tell",
        "Can you please tell me.",
        "Can you please tell me. What is it",
    ]


def test_it_is_final_when_the_answer_begins_and_not_told_again_at_the_end_of_the_turn():
    transcript = CallerTranscript()
    transcript.piece("What do")
    transcript.piece(" you see?")
    assert transcript.answered() == "What do you see?"
    assert transcript.answered() == ""
    assert transcript.whole("What do you see?") == ""


def test_words_that_come_after_the_answer_has_begun_are_told_by_themselves():
    transcript = CallerTranscript()
    transcript.piece("What do you see")
    assert transcript.answered() == "What do you see"
    assert transcript.piece(" here?").strip() == "here?"
    assert transcript.whole("What do you see here?") == "here?"


def test_without_pieces_the_whole_is_told():
    assert CallerTranscript().whole(" What is this? ") == "What is this?"


def test_an_utterance_that_is_never_confirmed_does_not_hide_the_next_one():
    transcript = CallerTranscript()
    transcript.piece("first")
    transcript.answered()
    transcript.piece("second")
    assert transcript.answered() == "second"
    assert transcript.whole("second") == ""
    transcript.piece("third")
    assert transcript.whole("third") == "third"

from vision_agent.caller.typed_lines import UNSURE_S, TypedLine, TypedLines


def typed(*texts: str) -> TypedLines:
    """One line a second, from 0 on."""
    lines = TypedLines()
    for second, text in enumerate(texts):
        lines.sent(TypedLine(str(second), text, second))
    return lines


def ids(lines: list[TypedLine]) -> list[str]:
    return [line.message_id for line in lines]


def test_what_the_conversation_has_is_not_sent_again_and_what_it_lacks_is_in_its_order():
    lines = typed("yes", "who?", "yes ", "where?")
    assert ids(lines.missing(["yes", "The camera: who?", "yes", "where?"], 4)) == []
    assert ids(lines.missing(["yes", "The camera: who?"], 4)) == ["2", "3"]
    assert ids(lines.missing([], 4)) == ["0", "1", "2", "3"]


def test_a_line_that_was_said_before_is_missed_though_it_stands_in_the_conversation():
    lines = typed("yes", "yes", "yes")
    assert ids(lines.missing(["yes", "yes"], 3)) == ["2"]
    # The conversation has the line now.
    assert ids(lines.missing(["yes", "yes", "yes"], 4)) == []


def test_what_was_typed_long_ago_and_what_is_too_long_to_be_found_is_not_sent_again():
    lines = typed("one", "x" * 1_001)
    assert ids(lines.unsure(UNSURE_S)) == ["1"]
    assert ids(lines.missing([], UNSURE_S)) == []


def test_where_the_conversation_is_gone_what_was_not_answered_is_sent_again():
    lines = typed("one", "two")
    assert ids(lines.unanswered(2)) == ["0", "1"]
    lines.answered()
    assert ids(lines.unanswered(2)) == []
    lines.sent(TypedLine("2", "three", 2))
    assert ids(lines.unanswered(3)) == ["2"]
    assert ids(lines.unanswered(2 + UNSURE_S)) == []

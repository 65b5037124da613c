"""The kinds of contents, and contents rewritten as text."""

from google.genai import types

from vision_agent.live.connection.content_rewrite import as_words, hands_over, tools_in_words


def content(role: str, *parts: types.Part) -> types.Content:
    return types.Content(role=role, parts=list(parts))


def words(text: str) -> types.Part:
    return types.Part(text=text)


CALL = types.Part(function_call=types.FunctionCall(id="c", name="measure", args={"what": "cup"}))
RESULT = types.Part(
    function_response=types.FunctionResponse(id="c", name="measure", response={"metres": 42})
)


def test_words_of_the_caller_become_one_content():
    both = as_words([content("user", words("one")), content("user", words("two"))])
    assert both == content("user", words("one\ntwo"))


def test_more_than_the_callers_words_is_not_words():
    assert as_words([content("user", words("one")), content("model", words("two"))]) is None
    assert as_words([content("user", RESULT)]) is None
    assert as_words([]) is None


def test_adks_own_tool_hands_over_and_no_other():
    def transfer(**response: object) -> types.Part:
        result = types.FunctionResponse(name="transfer_to_agent", response=response)
        return types.Part(function_response=result)

    assert hands_over(content("user", RESULT, transfer(result=None)))
    assert not hands_over(content("user", RESULT, transfer(error="Nobody is free.")))
    assert not hands_over(content("user", RESULT))
    assert not hands_over(content("user", words("transfer_to_agent")))


def test_calls_and_results_can_be_told_in_words():
    told = tools_in_words(
        [content("user", words("how long")), content("model", CALL), content("user", RESULT)]
    )
    assert [part.text for each in told for part in each.parts or []] == [
        "how long",
        '(I use measure with {"what": "cup"}.)',
        '(measure has given {"metres": 42}.)',
    ]
    assert [each.role for each in told] == ["user", "model", "user"]

"""Tokens as services report them: by modality, incomplete, several times a turn."""

from google.genai import types

from vision_agent.live.token_counts import MAX_MODELS, TokenCounts, TokenMeter, counted


def usage(prompt=None, response=None, thoughts=None, tool=None, **details) -> object:
    """A report as ADK passes it on; details as modality=(prompt, response)."""

    def of(side: int) -> list[types.ModalityTokenCount] | None:
        found = [
            types.ModalityTokenCount(
                modality=types.MediaModality(name.upper()), token_count=counts[side]
            )
            for name, counts in details.items()
            if counts[side] != 0
        ]
        return found or None

    return types.GenerateContentResponseUsageMetadata(
        prompt_token_count=prompt,
        candidates_token_count=response,
        thoughts_token_count=thoughts,
        tool_use_prompt_token_count=tool,
        prompt_tokens_details=of(0),
        candidates_tokens_details=of(1),
    )


def test_a_report_is_counted_by_kind_and_modality():
    counts = counted(usage(1197, 37, thoughts=28, tool=9, text=(1196, 0), audio=(1, 37)))
    assert list(counts) == [
        ("prompt", "audio", 1),
        ("prompt", "text", 1196),
        ("response", "audio", 37),
        ("thoughts", "text", 28),
        ("tool", "unspecified", 9),
    ]
    assert (counts.total("prompt", "tool"), counts.total("response")) == (1206, 37)


def test_what_the_details_leave_out_is_counted_too():
    counts = counted(usage(482, 69, text=(360, 0), audio=(0, 57)))
    assert counts.by_modality("prompt") == {"text": 360, "unspecified": 122}
    assert counts.by_modality("response") == {"audio": 57, "unspecified": 12}


def test_missing_and_empty_counts_are_none():
    assert not counted(usage())
    assert counted(usage(12, None, text=(12, 0), audio=(0, None))).of == {("prompt", "text"): 12}
    assert counted(usage(None, 37, audio=(0, 37))).of == {("response", "audio"): 37}


def test_turns_are_added_and_of_one_turn_the_larger_report_holds():
    meter = TokenMeter()
    meter.report("a", counted(usage(500, text=(500, 0))))  # the prompt alone, as a turn begins
    meter.report("a", counted(usage(520, 40, text=(500, 0), audio=(20, 40))))
    meter.report("a", counted(usage()))
    added = meter.end_turn()
    assert added["a"].by_modality("prompt") == {"text": 500, "audio": 20}
    meter.report("a", counted(usage(600, 10, text=(600, 0), audio=(0, 10))))
    meter.end_turn()
    assert meter.by_model["a"].total("prompt") == 1120
    assert meter.by_model["a"].by_modality("response") == {"audio": 50}
    assert meter.end_turn() == {}


def test_models_are_counted_apart_and_their_number_is_bounded():
    meter = TokenMeter()
    for number in range(MAX_MODELS + 5):
        meter.report(f"model {number}", TokenCounts({("prompt", "text"): 1}))
        meter.end_turn()
    assert len(meter.by_model) == MAX_MODELS

"""The captions of a recorded call."""

import re

from vision_agent.recordings.captions import CallCaptions


def cues(text: str) -> list[tuple[float, float, str]]:
    """The begin and end of each caption in seconds, and its words."""
    found = re.findall(r"00:(\d\d):([\d.]+) --> 00:(\d\d):([\d.]+)\n<v \w+>(.*)\n\n", text)
    return [(60 * int(a) + float(b), 60 * int(c) + float(d), words) for a, b, c, d, words in found]


def test_captions_of_voices_that_overlap_come_in_the_order_in_which_they_begin():
    captions, written = CallCaptions(), []
    written.append(captions.sounds("user", True, 1_000))
    written.append(captions.sounds("agent", True, 4_000))
    written.append(captions.said("user", "Caller", "typed", 5_000, typed=True))
    written.append(captions.sounds("user", False, 6_000))
    # A caption waits for a voice that began before it and still sounds.
    assert not any(written)
    # Decided captions are written, so that a killed server leaves them.
    written.append(captions.said("user", "Caller", "spoken", 7_000))
    assert cues(written[-1]) == [(1.0, 6.0, "spoken")]
    written.append(captions.sounds("agent", False, 8_000))
    written.append(captions.said("agent", "Agent", "answer", 8_100))
    written.append(captions.sounds("agent", True, 20_000))
    written.append(captions.said("agent", "Agent", "cut off", 21_000))
    written.append(captions.end(22_000))
    assert cues("".join(written)) == [
        (1.0, 6.0, "spoken"),
        (4.0, 8.0, "answer"),
        (5.0, 6.5, "typed"),
        (20.0, 22.0, "cut off"),
    ]


def test_a_noise_without_words_holds_no_caption_back_for_long_and_late_words_come_last():
    captions = CallCaptions()
    captions.sounds("user", True, 1_000)
    captions.sounds("user", False, 2_000)
    assert captions.said("user", "Caller", "typed", 3_000, typed=True) == ""
    assert captions.due(17_000) == ""
    assert cues(captions.due(17_001)) == [(3.0, 4.5, "typed")]
    late = captions.said("user", "Caller", "late", 30_000)
    assert cues(late) == [(3.0, 4.5, "late")]
    # Nor does it wait for a voice without pauses, beyond a caption's longest time.
    captions.sounds("agent", True, 40_000)
    assert captions.said("user", "Caller", "meanwhile", 41_000, typed=True) == ""
    assert cues(captions.due(101_000)) == [(41.0, 42.5, "meanwhile")]

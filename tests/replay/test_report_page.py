import base64
import io
import re

import av

from tests.support.reports import received, report_of
from tests.support.rtvi import say
from tests.support.signals import tone
from vision_agent.caller.transcript import CallTranscript
from vision_agent.caller.utterances import Span
from vision_agent.replay.report import Report
from vision_agent.replay.report_page import report_page


def call() -> Report:
    transcript = CallTranscript()
    say(transcript, 2100, "user-transcription", text="What is <this>?", final=True)
    say(transcript, 2200, "llm-function-call-in-progress", tool_call_id="c", function_name="look")
    say(transcript, 2600, "bot-transcription", text="A bottle & a cup.")
    return report_of([Span(1000, 2000)], received((tone(1400), 2600)), transcript)


def test_what_was_said_and_done_stands_in_the_order_it_happened_and_as_it_was() -> None:
    page = report_page(call(), "a<b>.mp4")
    rows = [re.sub("<.*?>", "|", row) for row in re.findall("<tr>(.*?)</tr>", page)]
    assert [re.split(r"\|+", row)[1:4] for row in rows] == [
        ["2.1 s", "Caller", "What is &lt;this&gt;?"],
        ["2.2 s", "Tool", "look"],
        ["2.6 s", "Agent", "A bottle &amp; a cup."],
    ]
    assert "a&lt;b&gt;.mp4" in page
    assert "<b>.mp4" not in page
    assert "the camera failed" in page
    assert "600 ms" in page


def test_the_timeline_shows_who_spoke_when() -> None:
    page = report_page(call(), "x")
    # The agent's voice ends at 4.0 s, and so does the timeline.
    assert re.search('class="caller" style="left:min\\(25.00%.*?width:25.00%', page)
    assert re.search('class="agent" style="left:min\\(65.00%.*?width:35.00%', page)


def test_the_voice_is_in_the_page_and_nothing_is_loaded_from_elsewhere() -> None:
    page = report_page(call(), "x")
    assert not re.search(r"https?://|src=\"(?!data:)|<script|<link", page)
    sound = base64.b64decode(re.search('data:audio/ogg;base64,([^"]+)', page)[1])
    with av.open(io.BytesIO(sound)) as container:
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert abs(seconds - 1.4) < 0.1


def test_a_call_that_never_was_has_a_page_too() -> None:
    page = report_page(Report(errors=["no server"], ended="refused"), "x")
    assert "Not answered." in page
    assert "refused" in page
    assert "no server" in page
    assert "<audio" not in page


def test_what_the_call_has_cost_is_shown_as_an_estimate() -> None:
    report = call()
    assert "estimated cost" not in report_page(report, "x")
    report.usage = {
        "tokens": {"prompt": {"text": 1000, "image": 272}, "response": {"audio": 100}},
        "estimate": 0.002222,
        "currency": "USD",
        "prices_of": "2026-10-09",
        "note": "",
    }
    page = report_page(report, "x")
    assert "<dt>tokens, prompt</dt><dd>1000 text, 272 image</dd>" in page
    assert "<dt>estimated cost</dt><dd>0.0022 USD (list prices of 2026-10-09)</dd>" in page
    report.usage |= {"estimate": None, "note": "No price known for <mystery>."}
    assert "No price known for &lt;mystery&gt;." in report_page(report, "x")
    report.usage = {"tokens": ["garbage"], "estimate": "much", "note": None}
    assert "no price known" in report_page(report, "x")

"""The page of a run: its contents; it loads nothing from elsewhere, and executes nothing."""

from __future__ import annotations

import base64
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.evaluation.reports import report_of, tool
from tests.support.answering_server import answering_server
from tests.support.recorded_call import recorded_call
from tests.support.signals import tone
from vision_agent.caller.received_audio import write_wav
from vision_agent.evaluation import page as page_module
from vision_agent.evaluation.agent_target import AgentTarget
from vision_agent.evaluation.case_runner import RunOptions
from vision_agent.evaluation.outcome import CaseOutcome, CaseVerdict
from vision_agent.evaluation.page import results_page
from vision_agent.evaluation.results import SuiteResults
from vision_agent.evaluation.run import run_trials
from vision_agent.evaluation.shown_media import shown_media
from vision_agent.evaluation.suite import read_suites
from vision_agent.evaluation.trials import Choice, plan
from vision_agent.recordings.lines import FrameLine

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"


def outcome(case: str, passed: bool | None, repeat: int = 1, **more: object) -> CaseOutcome:
    verdict = CaseVerdict("the agent says “three”", passed, "The agent said: I see three.")
    report = report_of(("user", 900, "How many?"), ("agent", 2000, "I see three."))
    values = {"report": report, "verdicts": [verdict], "took_s": 3.2} | more
    return CaseOutcome("shop", case, "basic", "local", repeat, **values)  # type: ignore[arg-type]


def results(*outcomes: CaseOutcome, **more: object) -> SuiteResults:
    passes = {(one.suite, one.case): 0.5 for one in outcomes}
    began = datetime(2026, 11, 26, 19, 40, tzinfo=UTC)
    return SuiteResults(began, len(outcomes), list(outcomes), passes, 12.0, **more)  # type: ignore[arg-type]


def recorded(folder: Path, pictures: int = 2) -> Path:
    lines = []
    for n in range(pictures):
        name = f"frames/{n:06}.jpg"
        (folder / "frames").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((480, 640, 3), 40 * n, np.uint8))
        line = FrameLine(at_ms=n * 500, source="camera", file=name, bytes=9, width=640, height=480)
        lines.append(line)
    return recorded_call(folder, *lines, caller=tone(1000), agent=tone(500, 880))


class Tags(HTMLParser):
    """The tags that an HTML parser finds in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_table_has_the_pass_rates_and_each_call_what_was_expected_and_came() -> None:
    page = results_page(
        results(
            outcome("counts", True),
            outcome("counts", False, 2),
            outcome("reads", None, error="The server is away."),
            outcome("asks", False, caller="The caller has given up."),
        )
    )
    cells = re.findall(r'<td class="(\w+)"><a href="#case-(\d)"[^>]*>(.*?)</a>', page)
    assert cells == [
        ("passed", "1", "✓ 1/2"),
        ("undecided", "2", "! 0/1"),
        ("failed", "3", "✗ 0/1"),
    ]
    assert all(f'id="case-{number}"' in page for _, number, _ in cells)
    assert "1 of 3 cases" in page
    assert "The agent said: I see three." in page
    assert "The server is away." in page
    assert "The caller was played by a model. The caller has given up." in page
    # The details of calls that did not pass are open.
    assert re.findall(r'<details class="(\w+)"( open)?>', page) == [
        ("passed", ""),
        ("failed", " open"),
        ("undecided", " open"),
        ("failed", " open"),
    ]


def test_the_pictures_are_seen_and_both_voices_are_heard_each_on_its_side(tmp_path: Path) -> None:
    page = results_page(results(outcome("counts", True, recorded=recorded(tmp_path / "call"))))
    pictures = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]*)"', page)
    sizes = [cv2.imdecode(np.frombuffer(base64.b64decode(one), np.uint8), 1) for one, _ in pictures]
    assert [one.shape for one in sizes] == [(240, 320, 3)] * 2
    assert pictures[1][1] == "What the model saw at 0.5 s, camera"
    both = voices_on(page)
    half = len(both) * 3 // 4
    left, right = both[:half], both[half:]
    assert np.abs(left[:, 0]).mean() > 0.1
    # The agent falls silent after half a second; the caller goes on.
    assert np.abs(right[:, 0]).mean() > 10 * np.abs(right[:, 1]).mean()


async def test_both_voices_of_a_call_to_another_server_are_heard(tmp_path: Path) -> None:
    write_wav(tmp_path / "question.wav", tone(400))
    (tmp_path / "one.yaml").write_text("cases: [{name: asks, turns: [say: question.wav]}]")
    async with answering_server() as server:
        target = AgentTarget.named(server.url)
        trials = plan(read_suites([tmp_path / "one.yaml"]), Choice([target], (), (), None))
        found = await run_trials(trials, RunOptions(tmp_path / "kept", record=True))
    (made,) = found.outcomes
    assert made.status == "passed", made.error
    both = np.abs(voices_on(results_page(found)))
    asked, answered = both[:, 0].argmax(), both[:, 1].argmax()
    assert both.max(axis=0).min() > 0.2
    assert asked < answered
    assert [path.suffix for path in (tmp_path / "kept" / "received").iterdir()] == [".ogg"]


def voices_on(page: str) -> np.ndarray:
    """The sound of a page, of shape (samples, 2), at most 1."""
    sound = base64.b64decode(re.search('data:audio/ogg;base64,([^"]+)', page)[1])  # type: ignore[index]
    with av.open(io.BytesIO(sound)) as container:
        decoded = (
            [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
            if (container.streams.audio[0].format.is_packed)
            else [frame.to_ndarray().T for frame in container.decode(audio=0)]
        )
    both = np.concatenate(decoded).astype(float)
    return both / np.abs(both).max()


def test_nothing_is_loaded_or_executed_whatever_was_said(tmp_path: Path) -> None:
    hostile = outcome(
        HOSTILE,
        None,
        error=HOSTILE,
        caller=HOSTILE,
        report=report_of(
            ("agent", 10, HOSTILE), tools=(tool(HOSTILE, 5, text=HOSTILE),), errors=[HOSTILE]
        ),
        verdicts=[CaseVerdict(HOSTILE, False, HOSTILE)],
        recorded=recorded(tmp_path / "call"),
    )
    hostile.agent = hostile.model = hostile.suite = HOSTILE
    page = results_page(results(hostile))
    tags = Tags(page).tags
    assert not {"script", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in tags}
    policy = next(attrs for tag, attrs in tags if attrs.get("http-equiv"))["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    for _, attrs in tags:
        assert not any(name.startswith("on") for name in attrs)
        assert (attrs.get("src") or "data:").startswith("data:")
        assert (attrs.get("href") or "#").startswith("#")
    assert "\u202e" not in page


def test_what_is_too_much_is_left_out_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recorded(tmp_path / "call")
    one = shown_media(outcome("case", True, recorded=folder)).size
    monkeypatch.setattr(page_module, "MAX_MEDIA_CHARS", round(2.5 * one))
    monkeypatch.setattr(page_module, "MOST_CALLS", 3)
    calls = [outcome(f"case {n}", n == 3, recorded=folder) for n in range(5)]
    page = results_page(results(*calls))
    assert page.count("<audio") == 2
    assert "The pictures and voices of 1 of the calls are left out" in page
    assert "3 of 5 calls are shown one by one" in page
    assert page.count("<details") == 3
    assert 'class="passed"><summary' not in page  # those that did not pass come first
    assert "case 3" in page  # in the table


def test_a_recording_that_is_damaged_or_gone_is_no_obstacle(tmp_path: Path) -> None:
    damaged = recorded(tmp_path / "damaged")
    (damaged / "call.mkv").write_bytes(b"no Matroska")
    (damaged / "frames" / "000000.jpg").write_bytes(b"no JPEG")
    (damaged / "frames" / "000001.jpg").unlink()
    calls = [outcome("a", True, recorded=damaged), outcome("b", True, recorded=tmp_path / "gone")]
    page = results_page(results(*calls, interrupted=True))
    assert "<audio" not in page
    assert "<img" not in page
    assert "The run was interrupted" in page

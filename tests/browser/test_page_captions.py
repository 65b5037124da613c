"""The page's captions in Chromium, with messages in the awkward orders that servers send."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

TELL = """
    async (steps) => {
      const { Captions } = await import("./view/captions.js");
      const list = document.createElement("ol");
      const announcer = document.createElement("div");
      const captions = new Captions(list, announcer);
      for (const [what, ...how] of steps) captions[what](...how);
      return [...list.children].map((line) => ({
        kind: line.className.split("line-")[1],
        text: line.querySelector(".text").textContent,
        state: line.dataset.state ?? null,
        look: line.querySelector(".look")?.textContent ?? null,
        cut: line.querySelector(".cut")?.textContent.trim() ?? null,
        capital: line.dataset.typed === undefined,
      }));
    }
"""


@pytest.fixture
def lines(module_page):
    async def told(*steps):
        return await module_page.evaluate(TELL, [list(step) for step in steps])

    return told


async def texts(lines, *steps) -> list[str]:
    return [f"{line['kind']}: {line['text']}" for line in await lines(*steps)]


async def test_words_that_arrive_after_the_answer_began_stand_before_it(lines):
    assert await texts(
        lines,
        ("userStarted",),
        ("agentDelta", "I see"),
        ("user", "What do you see?", True),
        ("agentDelta", " a bottle."),
    ) == ["user: What do you see?", "agent: I see a bottle."]


async def test_pieces_of_an_utterance_add_up_and_the_final_text_replaces_them(lines):
    assert await texts(lines, ("user", "what", False), ("user", " do you", False)) == [
        "user: what do you"
    ]
    assert await texts(
        lines, ("user", "what", False), ("user", "what do", False), ("user", "What do?", True)
    ) == ["user: What do?"]


async def test_sentences_sent_without_a_space_between_them_get_one(lines):
    assert await texts(lines, ("agentDelta", "Hello."), ("agentDelta", "How are you?")) == [
        "agent: Hello. How are you?"
    ]


async def test_an_answer_whose_words_are_all_there_can_still_be_interrupted(lines):
    told = await lines(
        ("agentDelta", "A long answer."), ("agentFinal", "A long answer."), ("interrupted",)
    )
    assert [line["state"] for line in told] == ["interrupted"]


async def test_an_interrupted_answer_keeps_the_words_that_were_played(lines):
    told = await lines(
        ("agentDelta", "A long answer."),
        ("interrupted", "A long …"),
        ("agentFinal", "A long …"),
        ("agentDelta", "Another."),
        ("interrupted", ""),
    )
    assert [(line["text"], line["state"]) for line in told] == [
        ("A long …", "interrupted"),
        ("…", "interrupted"),
    ]


async def test_a_turn_that_is_complete_cannot_be_interrupted(lines):
    told = await lines(("agentFinal", "Short."), ("turnComplete",), ("interrupted",))
    assert [line["state"] for line in told] == ["final"]


async def test_the_answer_after_an_interrupted_one_is_a_line_of_its_own(lines):
    assert await texts(
        lines,
        ("agentDelta", "One, two"),
        ("interrupted",),
        ("agentDelta", "Stopped."),
    ) == ["agent: One, two", "agent: Stopped."]


async def test_a_frame_belongs_to_the_utterance_whichever_comes_first(lines):
    early = await lines(
        ("userStarted",), ("frameSentAtSpeechEnd", 40), ("user", "What is it?", True)
    )
    late = await lines(
        ("userStarted",), ("user", "What is it?", False), ("frameSentAtSpeechEnd", 40)
    )
    assert early[0]["look"] == late[0]["look"] == "Looked at your picture"


async def test_a_tool_is_shown_while_it_runs_and_when_it_is_done(lines):
    running = await lines(("toolStarted", "1", "look_closely"))
    done = await lines(("toolStarted", "1", "look_closely"), ("toolStopped", "1", False))
    cancelled = await lines(("toolStarted", "1", "look_closely"), ("toolStopped", "1", True))
    assert running[0]["text"] == "Look closely"
    assert [line[0]["state"] for line in (running, done, cancelled)] == [
        "running",
        "final",
        "cancelled",
    ]


async def test_noise_without_words_leaves_no_line(lines):
    assert await lines(("userStarted",), ("user", " ", False), ("agentFinal", "")) == []


async def test_hours_of_talk_keep_the_newest_lines(lines):
    steps = [("agentFinal", str(number)) for number in range(400)]
    told = await lines(*steps)
    assert len(told) == 300
    assert told[-1]["text"] == "399"


async def test_why_an_answer_was_cut_short_is_said_behind_it(lines):
    async def cut(*steps) -> list[str | None]:
        return [line["cut"] for line in await lines(("agentDelta", "A long"), *steps)]

    lost = "the connection was lost"
    assert await cut(("interrupted", "A")) == ["(you interrupted)"]
    assert await cut(("breakOff", "you hung up")) == ["(you hung up)"]
    assert await cut(("interrupted", "A"), ("breakOff", "you hung up")) == ["(you interrupted)"]
    # The model reconnects and gives another answer: nobody interrupted the first.
    assert await cut(("connectionLost",), ("interrupted", "A")) == [f"({lost})"]
    assert await cut(("connectionLost",), ("userStarted",), ("interrupted", "A")) == [
        "(you interrupted)"
    ]
    assert await cut(("agentFinal", "A long one."), ("turnComplete",), ("breakOff", lost)) == [None]


async def test_what_was_typed_is_shown_as_it_was_typed(lines):
    told = await lines(
        ("restore", [{"who": "user", "text": "kept"}]),
        ("typed", "xxx"),
        ("user", "what do you see", True),
    )
    assert [line["capital"] for line in told] == [False, False, True]

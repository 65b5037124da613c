"""Whatever happens in a conversation, the ledger asks nothing twice and loses nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.genai import types
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.live.connection.ledger_lines import calls, hands, line, result, says, user
from vision_agent.live.connection.ledger import Ledger, Replay


@dataclass
class Service:
    """A model that answers what it is asked, as its sessions know it.

    The first handle of a session in which the model has not spoken does not cover what the session
    was told when it began.
    """

    said: list[str] = field(default_factory=list)
    before_told: list[str] | None = None
    asked: bool = False
    handles: dict[str, list[str]] = field(default_factory=dict)

    def hear(self, content: types.Content) -> None:
        self.said.append(line(content))
        self.asked = content.role == "user"

    def say(self, words: str) -> None:
        self.said.append(words)
        self.before_told = None

    def hand(self) -> str:
        handle = f"H{len(self.handles)}"
        self.handles[handle] = list(self.said if self.before_told is None else self.before_told)
        self.before_told = None
        return handle

    def resume(self, replay: Replay) -> None:
        self.said = list(self.handles[replay.handle]) if replay.handle else []
        self.before_told = list(self.said)
        self.asked = False
        for content in replay.contents:
            self.hear(content)


class Conversations(RuleBasedStateMachine):
    """A caller, a tool and a model whose connection breaks at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger, self.service = Ledger(), Service()
        self.everything: list[str] = []
        self.answered: list[int] = []
        self.questions = 0
        self.begun = False
        self.running: list[str] = []
        self.made = 0

    def _typed_and_unanswered(self) -> bool:
        return self.service.asked and not self.begun

    @precondition(lambda self: not self.begun and not self.service.asked and not self.running)
    @rule(arrives=st.booleans())
    def type(self, arrives: bool) -> None:
        self.questions += 1
        delivery = self.ledger.sent_content(user(f"q{self.questions}"))
        self.everything.append(f"user: q{self.questions}")
        assert delivery.direct is not None
        if arrives:
            self.service.hear(delivery.direct)
        else:
            self.lose()

    @precondition(lambda self: self._typed_and_unanswered())
    @rule(taken=st.booleans())
    def call(self, taken: bool) -> None:
        self.made += 1
        calls(self.ledger, f"c{self.made}", taken=taken)
        if taken:
            self.running.append(f"c{self.made}")
            self.everything.append(f"call c{self.made}")
            self.service.say(f"call c{self.made}")
            self.service.asked = False
            says(self.ledger, turn_complete=True)
        else:
            self.lose()

    @precondition(lambda self: self.running)
    @rule(arrives=st.booleans())
    def tool_answers(self, arrives: bool) -> None:
        call_id = self.running.pop()
        delivery = self.ledger.sent_content(result(call_id))
        self.everything.append(f"result {call_id}")
        if not arrives:
            self.lose()
            return
        for content in [*([delivery.direct] if delivery.direct else []), *delivery.conversation]:
            self.service.hear(content)

    @precondition(lambda self: self._typed_and_unanswered())
    @rule()
    def answer_begins(self) -> None:
        says(self.ledger, f"a{self.questions}")
        self.begun = True

    @precondition(lambda self: self.begun)
    @rule(handle=st.booleans(), completes=st.booleans())
    def answer_ends(self, handle: bool, completes: bool) -> None:
        says(self.ledger, generation_complete=True)
        self.begun = self.service.asked = False
        self.answered.append(self.questions)
        self.everything.append(f"model: a{self.questions}")
        self.service.say(f"model: a{self.questions}")
        if not completes:
            self.lose()
            return
        says(self.ledger, turn_complete=True)
        if handle:
            hands(self.ledger, self.service.hand())

    @precondition(lambda self: not self.service.asked and not self.running and not self.begun)
    @rule()
    def hand_between_turns(self) -> None:
        hands(self.ledger, self.service.hand())

    @rule(void=st.booleans())
    def lose(self, void: bool = False) -> None:
        if void:
            self.ledger.forget_handle()
        self.begun = False
        self.service.resume(self.ledger.lost())

    @invariant()
    def the_service_knows_everything_once(self) -> None:
        assert self.service.said == self.everything

    @invariant()
    def it_is_asked_what_it_has_not_answered_and_nothing_else(self) -> None:
        open_question = self.questions > len(self.answered)
        assert self.service.asked == (open_question and not self.running)
        assert self.answered == list(range(1, len(self.answered) + 1))


TestConversations = Conversations.TestCase
TestConversations.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

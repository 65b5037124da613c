"""The content of ``clientContent`` that waits for an answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local import adk_dialect
from vision_agent.local.api.client_messages import Content
from vision_agent.local.api.turn_actions import ToolResult


class PendingContent:
    """Questions and results of tools that came as content and are not answered yet."""

    def __init__(self) -> None:
        self._questions: list[str] = []
        self._results: list[ToolResult] = []
        self._newest_results: tuple[ToolResult, ...] = ()
        self._unfinished = False

    @property
    def is_unfinished(self) -> bool:
        """Whether incomplete content has come."""
        return self._unfinished

    @property
    def has_results(self) -> bool:
        """Whether tools that ran in an earlier session wait for the answer to their results."""
        return bool(self._results)

    def answered(self, results: Sequence[ToolResult], *, later: bool) -> None:
        """Tools have answered; content with their pictures may follow.

        Args:
            results: Their results.
            later: Whether these are answered together with content that is not complete yet.
        """
        self._newest_results = tuple(results)
        if later:
            self._results += results

    def add(self, contents: Sequence[Content], *, complete: bool) -> int:
        """Takes the contents of one message in.

        Args:
            contents: The contents.
            complete: Whether the message asks for an answer to them.

        Returns:
            The index of the content that asks something; -1 if none does.
        """
        self._unfinished = not complete
        question = -1
        for index, content in enumerate(contents):
            if content.role == "model" and content.text:
                question = -1
                self._results = []
            elif adk_dialect.shows_result(content.text):
                self._results += self._newest_results
            elif content.text and not adk_dialect.is_context(content.text):
                question = index
                self._results = []
            self._results += content.results
        if question >= 0:
            self._questions.append(contents[question].text)
        return question

    def take_question(self) -> str:
        """Everything that was asked, in one string; it is pending no longer."""
        question = " ".join(self._questions)
        self._questions = []
        return question

    def take_results(self) -> tuple[ToolResult, ...]:
        """The results; they are pending no longer."""
        results, self._results = tuple(self._results), []
        return results

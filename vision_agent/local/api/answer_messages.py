"""The messages that an answer is sent in, as each model puts them together.

`response_stream` says what an answer is made of; here it gets the model's form: what rides with
what, and which messages that say nothing come in between.
"""

from __future__ import annotations

from vision_agent.local.api import server_messages
from vision_agent.local.api.response_stream import (
    AnswerAudio,
    AnswerCalls,
    AnswerCaption,
    AnswerCaptioned,
    AnswerPiece,
    AnswerText,
    AnswerThought,
)
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.contract import AnswerTokens


class AnswerMessages:
    """Puts one answer into messages, piece by piece.

    Args:
        setup: The model's habits, and whether thoughts and words are sent.
    """

    def __init__(self, setup: Setup) -> None:
        self._habits = setup.habits
        self._thoughts = setup.thoughts
        self._captions = setup.output_transcription
        self._role = setup.habits.role
        self._begun = False
        self._captioned = False
        self._bare_sound = False

    @property
    def begun(self) -> bool:
        """Whether a piece of the answer has been put into messages."""
        return self._begun

    def lead(self) -> list[ServerMessage]:
        """The messages that say nothing, before the first piece."""
        self._begun = True
        makers = {"nothing": server_messages.nothing, "content": server_messages.no_content}
        return [makers[kind]() for kind in self._habits.lead]

    def of(self, piece: AnswerPiece) -> list[ServerMessage]:
        """The messages of a piece; none if it is not to be sent.

        Function calls are sent when the turn-taking says so.
        """
        match piece:
            case AnswerThought(text):
                part = server_messages.thought_part(text)
                return [server_messages.model_turn(part, role=self._role)] if self._thoughts else []
            case AnswerAudio(pcm, words):
                return self._audio(pcm, words if self._captions else "")
            case AnswerCaption(words):
                return self._caption(words) if self._captions else []
            case AnswerCaptioned():
                return [server_messages.output_transcription_finished()] if self._captions else []
            case AnswerText(text):
                part = server_messages.text_part(text)
                return [server_messages.model_turn(part, role=self._role)]
            case AnswerCalls() | AnswerTokens():
                return []

    def _audio(self, pcm: bytes, words: str) -> list[ServerMessage]:
        part = server_messages.audio_part(pcm, self._habits.sound_type)
        message = server_messages.model_turn(part, role=self._role, words=words)
        between = [server_messages.nothing()] if self._bare_sound else []
        self._bare_sound = self._habits.empty_between and not words
        return [*between, message]

    def _caption(self, words: str) -> list[ServerMessage]:
        begins = self._habits.captions == "before" and not self._captioned
        self._captioned = True
        return [
            *([server_messages.output_transcription_begun()] if begins else []),
            server_messages.output_transcription(words),
        ]

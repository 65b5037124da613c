"""The agent behind the calls: loaded once, given its brain, run by one ADK runner."""

from __future__ import annotations

import os
from typing import Any

from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService

from vision_agent.agents import load_agent, root_of
from vision_agent.brain import Brain, choose_brain, install_brain
from vision_agent.live.intake import Intake
from vision_agent.live.local_process import LocalServer
from vision_agent.live.models import ModelError, check_voice
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.steady import Listener
from vision_agent.memory import LineMemory, Owner
from vision_agent.remembering import Remembering
from vision_agent.settings import Settings
from vision_agent.version import __version__


class AgentHost:
    """Loads the agent and chooses its brain at once; starts what it needs in `start`.

    Args:
        settings: Which agent, model, voice and language.

    Raises:
        AgentError: There is no usable agent.
        ModelError: The model, the voice or the key can't work.
    """

    def __init__(self, settings: Settings) -> None:
        self._voice = check_voice(settings.voice) if settings.voice else None
        self._language = settings.language
        app = load_agent(settings.agent)
        self._root = root_of(app)
        self.brain: Brain = choose_brain(self._root, settings.model, os.environ)
        self._scenario = settings.scenario
        if self._scenario is not None and self.brain.kind != "local":
            raise ModelError(
                "A scenario is played by the local Live API, but "
                f"{self.brain.label} was chosen: add --model local."
            )
        self._local: LocalServer | None = None
        self._memory = LineMemory(settings.memory)
        self._runner = Runner(
            app=app, session_service=InMemorySessionService(), memory_service=self._memory
        )

    @property
    def name(self) -> str:
        """The root agent's name."""
        return self._root.name

    @property
    def app_name(self) -> str:
        """The ADK app's name: unique on a server."""
        return self._runner.app_name

    @property
    def description(self) -> str:
        """What the agent says it is for."""
        return self._root.description

    @property
    def version(self) -> str:
        """The version of this package."""
        return __version__

    def info(self) -> dict[str, Any]:
        """What the page shows about this agent."""
        return {
            "agent": self.name,
            "brain": self.brain.kind,
            "brain_label": self.brain.label,
            "model": self.brain.model,
            "version": __version__,
        }

    async def start(self, local: LocalServer | None = None) -> None:
        """Give the agent its brain.

        Args:
            local: The running local Live API; None starts one if it is the brain.

        Raises:
            LocalServerError: It does not start.
        """
        if self.brain.kind != "local":
            local = None
        elif local is None:
            local = self._local = await LocalServer.start(self._scenario)
        install_brain(self.brain, self._root, local)

    async def close(self) -> None:
        """End what `start` started, and the agent's own toolsets."""
        await self._runner.close()
        self._memory.close()
        if self._local is not None:
            await self._local.close()

    def remembering(self, owner: Owner) -> Remembering:
        """What keeps the words of a call of this owner's."""
        return Remembering(
            self._memory,
            app_name=self.app_name,
            user=owner.user,
            conversation=owner.conversation,
        )

    def new_session(
        self,
        session_id: str,
        intake: Intake,
        *,
        voice: str | None,
        listener: Listener,
    ) -> LiveSession:
        """The model's side of a call.

        Args:
            session_id: A fresh id.
            intake: The call's live queue.
            voice: A checked voice's name; None for the server's.
            listener: Is told how the connection to the model fares.
        """
        return LiveSession(
            self._runner,
            make_run_config(voice=voice or self._voice, language=self._language),
            intake,
            user_id="caller",
            session_id=session_id,
            model=self.brain.model,
            listener=listener,
        )

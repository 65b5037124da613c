"""The agent that a case calls: one that the run serves itself, or one of a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, model_validator

from vision_agent.evaluation.mistakes import SuiteError
from vision_agent.evaluation.part import Part, Secret, is_there, path_of, shown, wrong

# An agent's folder, or one of several agents' folders.
_AGENT_FILES = ("agent.py", "__init__.py", "*/agent.py")


def _agent(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    folder = path_of(value, info)
    if is_there(folder) and folder.is_dir():
        if not any(one.is_file() for files in _AGENT_FILES for one in folder.glob(files)):
            raise wrong(f"the folder {shown(folder)} holds no agent.py")
        return str(folder.resolve())
    if ":" in value:
        return value
    raise wrong(f"there is no agent folder {shown(folder)}; a module is written module:attribute")


def _names_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class AgentTarget(Part):
    """An agent to call.

    Attributes:
        agent: A folder with an ADK agent, or `module:attribute`; with `url`, the name of one of
            that server's agents.
        url: A running server.
        token: Its access token.
        headers: HTTP headers for it.
    """

    short: ClassVar[str] = "agent"

    agent: str | None = None
    url: Secret | None = None
    token: Secret | None = Field(None, repr=False)
    headers: dict[str, Secret] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _folder_or_address(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return {"url": value}
        given = {"agent": value} if isinstance(value, str) else value
        if isinstance(given, dict) and "url" not in given:
            return given | {"agent": _agent(given.get("agent"), info)}
        return given

    @model_validator(mode="after")
    def _names_something(self) -> AgentTarget:
        if self.url is None and self.agent is None:
            raise wrong("needs an agent or a url")
        if self.url is None and (self.token or self.headers):
            raise wrong("token and headers need a url")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise wrong("the url has to begin with http:// or https://", "url")
        if self.url is not None and not _names_server(self.url):
            raise wrong("the url names no server; write http://host:port", "url")
        return self

    @classmethod
    def named(cls, value: str) -> AgentTarget:
        """Return the target that an option names: a folder, `module:attribute` or an address.

        Raises:
            SuiteError: There is no such folder.
        """
        try:
            return cls.read(value, Path.cwd())
        except ValidationError as error:
            raise SuiteError(f"{value}: {error.errors()[0]['msg']}.") from None

    @property
    def name(self) -> str:
        """The target's name in results: the agent's folder or module, or the address."""
        if self.url is not None:
            address = self.url.split("?")[0]
            return f"{address} {self.agent}" if self.agent else address
        agent = self.agent or ""
        return Path(agent).name if Path(agent).is_absolute() else agent

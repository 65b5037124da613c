"""Every option, once: command-line flags, ``VISION_AGENT_*`` variables and a ``.env`` file."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from vision_agent.answer_settings import AnswerSettings, none_if_empty
from vision_agent.data_folder import data_folder
from vision_agent.https_settings import Host, HttpsSettings
from vision_agent.ice_settings import IceSettings
from vision_agent.limit_settings import LimitSettings
from vision_agent.logs import LogFormat
from vision_agent.own_model_settings import OwnModelSettings
from vision_agent.own_models import is_url
from vision_agent.recording_settings import RecordingSettings
from vision_agent.site_settings import SiteSettings, split_list
from vision_agent.udp_settings import UdpSettings
from vision_agent.unknown_options import PREFIX, refuse_unknown, warn_of_unknown
from vision_agent.worker_name import PATTERN as WORKER_NAME

ToolReports = Literal["none", "name", "full"]

Audience = Literal["open", "token", "off"]


class Settings(
    LimitSettings,
    RecordingSettings,
    OwnModelSettings,
    SiteSettings,
    HttpsSettings,
    IceSettings,
    UdpSettings,
    AnswerSettings,
):
    """The server's options.

    Keyword arguments come first, then `VISION_AGENT_*` environment variables, then `.env`. An
    unknown keyword is an error, an unknown variable a warning. The credentials of the model service
    keep their usual names, such as `GOOGLE_API_KEY`; see `vision_agent.agents.model_choice`.
    """

    model_config = SettingsConfigDict(
        env_prefix="VISION_AGENT_",
        env_file=".env",
        extra="ignore",
        validate_default=True,
        hide_input_in_errors=True,
    )

    port: int = Field(
        default=7860, ge=0, le=65535, description="Port to listen on; 0 picks a free one."
    )
    token: SecretStr | None = Field(
        default=None, description="If set, callers must send it as `Authorization: Bearer …`."
    )
    root_path: str = Field(
        default="",
        pattern=r"^(/[^/\s]+)*$",
        description="The path under which a proxy shows the server, if the proxy passes it on: "
        "/agent.",
    )
    worker: str = Field(
        default="",
        pattern=WORKER_NAME,
        description="The server's name among several behind one address: the ids that it gives "
        "out begin with it and a dot, so that a load balancer finds it again.",
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Addresses or networks of the proxies whose X-Forwarded-For and user_header "
        "are believed, comma-separated; `*` for every peer. Default: none; the user_header is "
        "believed of this machine.",
    )
    metrics: Audience = Field(
        default="open",
        description="Who may read /metrics: open, token (whoever has the access token), or off.",
    )
    health: Audience = Field(default="open", description="Who may read /healthz, likewise.")
    operator_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="A port for /metrics and /healthz, which then are nowhere else; 0: a free one.",
    )
    operator_host: Host = Field(
        default="127.0.0.1", description="The address on which that port is listened on."
    )
    api_description: Audience = Field(
        default="open", description="Who may read /openapi.json: open, token, or off."
    )
    user_header: str | None = Field(
        default=None,
        description="Request header in which a login proxy names the caller, e.g. X-Remote-User.",
    )

    agent: str | None = Field(
        default=None,
        description="An ADK agent folder, `package.module:attribute`, several of them with commas, "
        "or a folder of agent folders. Default: our own.",
    )
    model: str | None = Field(
        default=None,
        description="A live model's name, or `local`. Default: the agent's own, or local.",
    )
    scenario: Path | None = Field(
        default=None,
        description="What the local Live API answers and what goes wrong with it (YAML).",
    )

    prices: Path | None = Field(
        default=None,
        description="A table of prices (TOML) for the estimate of what calls cost. Default: ours.",
    )

    memory: Path | None = Field(
        default=None,
        description="SQLite file that remembers what callers said, for their next calls. "
        "Default: one in the data directory; none if session_db is `memory`.",
    )

    frame_rate_hz: float = Field(
        default=1.0, gt=0, le=10, description="Frames a second that reach the model, at most."
    )
    frame_max_px: int = Field(
        default=768, ge=64, le=4096, description="Longer side of those frames, in pixels."
    )
    frame_max_bytes: int = Field(default=40_000, ge=2_000, description="Largest JPEG that is sent.")
    frame_change: float = Field(
        default=6.0,
        ge=0,
        le=255,
        description="Levels (of 255) by which a frame must differ from the last one to be sent; "
        "0 sends every frame.",
    )
    frame_max_gap_s: float = Field(
        default=10.0, gt=0, le=60, description="A frame is sent after this time, however alike."
    )

    share_screen: bool = Field(default=True, description="Callers may share their screen.")
    screen_rate_hz: float = Field(
        default=0.5, gt=0, le=10, description="Frames a second of a shared screen, at most."
    )
    screen_max_px: int = Field(
        default=1536, ge=64, le=4096, description="Longer side of those frames, in pixels."
    )
    screen_max_bytes: int = Field(
        default=300_000, ge=2_000, le=2_000_000, description="Largest JPEG of a screen."
    )
    screen_change: float = Field(
        default=8.0,
        ge=0,
        le=255,
        description="Levels (of 255) by which a part of a screen must differ to be sent again; "
        "0 sends every frame.",
    )
    screen_max_gap_s: float = Field(
        default=30.0, gt=0, le=60, description="A screen is sent after this time, however alike."
    )

    barge_in_hold_ms: int = Field(
        default=700,
        ge=0,
        le=5_000,
        description="How long playback stays paused after a suspected barge-in, for the model to "
        "confirm it; 0: only the model interrupts.",
    )

    tool_timeout_s: float = Field(
        default=30.0, gt=0, description="A tool that takes longer is given up; the agent is told."
    )
    tool_timeouts: Annotated[dict[str, float], NoDecode] = Field(
        default_factory=dict, description="The same for single tools: `search=60,book=120`."
    )
    slow_tools: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Tools during which the agent goes on talking, comma-separated.",
    )

    log_format: LogFormat = Field(
        default=LogFormat.TEXT,
        description="How the commands log: text, or json, one object a line.",
    )

    tool_reports: ToolReports = Field(
        default="name",
        description="What a caller's client sees of the agent's tools: `none` (that one runs), "
        "`name`, or `full` (arguments and results too).",
    )

    max_connections: int = Field(
        default=200, ge=1, description="TCP connections at the same time, to the page and its API."
    )
    max_connections_per_address: int = Field(
        default=50, ge=1, description="The same for one address, other than this machine's own."
    )
    media_host: str = Field(
        default="",
        description="Address that calls' media (UDP) is received on; 0.0.0.0 for all. Default: "
        "all, or loopback only if the server listens on loopback.",
    )
    connect_timeout_s: float = Field(
        default=15.0, gt=0, description="A peer that is not connected by then is dropped."
    )
    vanished_after_s: float = Field(
        default=8.0, gt=0, description="A peer from which nothing arrives for this time is gone."
    )

    max_call_s: float = Field(
        default=7200, ge=0, description="Longest call; the caller is warned first. 0: no limit."
    )
    idle_s: float = Field(
        default=600, ge=0, description="A call without speech or text for this time ends. 0: never."
    )
    warn_s: float = Field(
        default=60, ge=0, description="How long before such an end the caller is warned."
    )
    drain_s: float = Field(
        default=30, ge=0, description="How long calls may continue after SIGTERM; none start."
    )

    session_db: str | None = Field(
        default=None,
        repr=False,  # its URL may hold a password
        description="Where conversations are stored: a database URL, or `memory`. Default: a file.",
    )
    data_dir: Path = Field(
        default_factory=data_folder, description="Folder of those files, and of what callers teach."
    )
    resume_within_s: float = Field(
        default=600,
        ge=0,
        le=7200,
        description="How long a conversation can be continued after its call. 0: never.",
    )
    keep_days: float = Field(
        default=30, gt=0, description="Conversations untouched for longer are deleted."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources of options, in order; warns of variables that only look like options.

        Raises:
            ValidationError: A keyword argument is not an option.
        """
        if isinstance(init_settings, InitSettingsSource):
            refuse_unknown(init_settings.init_kwargs, cls.model_fields, cls.__name__)
        # The commands load `.env` into the environment. The file comes first in warnings: it is the
        # place to correct.
        for source, where in ((dotenv_settings, ".env"), (env_settings, "environment")):
            if isinstance(source, EnvSettingsSource):
                warn_of_unknown(source.env_vars, cls.model_fields, where)
        return init_settings, *filter(_has_options, (env_settings, dotenv_settings))

    def database_url(self) -> str | None:
        """The URL of the sessions' database for SQLAlchemy; None to keep sessions in memory."""
        if self.session_db == "memory":
            return None
        return self.session_db or f"sqlite:///{(self.data_dir / 'sessions.db').resolve()}"

    def answers(self) -> dict[str, Any]:
        """The default `live.call_options.CallOptions` of every call, by field."""
        answers = self.model_dump(include=set(AnswerSettings.model_fields))
        if self.voice and is_url(self.voice):
            answers["voice"] = None
        return answers

    def memory_path(self) -> Path | None:
        """The file that keeps what callers said; None to keep it in memory only."""
        if self.memory is not None or self.session_db == "memory":
            return self.memory
        return self.data_dir / "memory.db"

    @field_validator("tool_timeouts", mode="before")
    @classmethod
    def _read_tool_timeouts(cls, value: object) -> object:
        if isinstance(value, str):
            pairs = (pair.partition("=") for pair in value.split(",") if pair.strip())
            return {name.strip(): seconds.strip() for name, _, seconds in pairs}
        return value

    @field_validator("tool_timeouts")
    @classmethod
    def _check_tool_timeouts(cls, value: dict[str, float]) -> dict[str, float]:
        if any(not name or seconds <= 0 for name, seconds in value.items()):
            raise ValueError("Write it as name=seconds, more than 0: search=60,book=120.")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        for each in value:
            if each != "*":
                ipaddress.ip_network(each, strict=False)
        return value

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        token = self.token.get_secret_value() if self.token else ""
        if token.startswith("REPLACE") or not token.isprintable() or token != token.strip():
            raise ValueError(
                "token: it is the example's, or has a line break in it, or begins or ends with a "
                "space: make one."
            )
        for name in ("metrics", "health", "api_description"):
            if getattr(self, name) == "token" and self.token is None:
                raise ValueError(f"{name}: there is no token to ask for. Set one, or write `off`.")
        return self

    _split_lists = field_validator("trusted_proxies", "slow_tools", mode="before")(split_list)

    @field_validator("data_dir", mode="before")
    @classmethod
    def _usual_data_dir(cls, value: object) -> object:
        return data_folder() if isinstance(value, str) and not value.strip() else value

    @field_validator("data_dir", "record")
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    _empty_means_unset = field_validator(
        "cert",
        "key",
        "agent",
        "model",
        "token",
        "user_header",
        "scenario",
        "brain",
        "brain_model",
        "brain_key",
        "whisper",
        "ears",
        "ears_model",
        "ears_key",
        "voice_model",
        "voice_speaker",
        "voice_key",
        "turn_secret",
        "turn_secret_file",
        "session_db",
        "memory",
        "prices",
        "calls_per_address",
        "calls_per_user",
        "operator_port",
        "record",
        "record_min_free_mb",
        "keep_recordings",
        "udp_port",
        "udp_ports",
        mode="before",
    )(none_if_empty)


def _has_options(source: PydanticBaseSettingsSource) -> bool:
    """Whether a source has any option: to look for all of them takes it 2 ms of CPU."""
    return not isinstance(source, EnvSettingsSource) or any(
        name.lower().startswith(PREFIX) for name in source.env_vars
    )

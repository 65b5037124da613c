"""The settings of which calls are recorded, where, and for how long recordings are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings


class RecordingSettings(BaseSettings):
    """Whether and how calls are recorded."""

    record: Path | None = Field(
        default=None,
        description="A folder in which calls are recorded, each in a folder of its own.",
    )
    record_calls: Literal["all", "unless_declined", "asked"] = Field(
        default="unless_declined",
        description="Which calls: all, those whose client does not decline "
        "(`requestData.record`), or those whose client asks for it.",
    )
    record_consent: bool = Field(
        default=False,
        description="Record only calls whose client says that the caller has agreed "
        "(`requestData.record_consent`).",
    )
    record_max_minutes: float = Field(
        default=120,
        ge=0,
        allow_inf_nan=False,
        description="The longest recording; the call goes on. 0: no limit.",
    )
    record_max_mb: float = Field(
        default=4_000,
        ge=0,
        allow_inf_nan=False,
        description="The largest recording, likewise.",
    )
    record_min_free_mb: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="What recordings leave free on the disk. Default: a twentieth of it, 1 GB at "
        "most.",
    )
    keep_recordings: float | None = Field(
        default=None,
        gt=0,
        description="Days after which recordings are deleted; an hour (0.042) at least. Default: "
        "they are kept.",
    )

    @field_validator("keep_recordings")
    @classmethod
    def _outlasts_a_silence(cls, days: float | None) -> float | None:
        # Of a call in which nobody says or shows anything nothing is written for minutes.
        if days is not None and days < 1 / 24:
            raise ValueError(
                "recordings are kept for an hour (0.042 days) at least: those of calls that go on "
                "are among them"
            )
        return days

    @model_validator(mode="after")
    def _has_a_folder(self) -> Self:
        if self.record is None:
            for name in ("record_consent", "keep_recordings"):
                if getattr(self, name):
                    raise ValueError(f"{name}: recordings have no folder. Name one: --record DIR.")
        return self

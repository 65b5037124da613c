"""The settings of how much of the server callers may use; 0 means no limit."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class LimitSettings(BaseSettings):
    """Limits for all callers, one user, one address and one call."""

    max_calls: int = Field(default=20, ge=1, description="Calls at the same time; more get 503.")
    calls_per_address: int | None = Field(
        default=None,
        ge=0,
        description="Calls at the same time from one address; 0: no limit. "
        "Default: three quarters of max_calls.",
    )
    unconnected_calls_per_address: int = Field(
        default=8, ge=0, description="Of them, those still connecting; 0: no limit."
    )
    offers_per_minute: int = Field(
        default=240, ge=0, description="Offers from one address; 0: no limit."
    )
    restarts_per_minute: int = Field(
        default=20, ge=0, description="New connections of one call; 0: no limit."
    )
    wrong_tokens_per_minute: int = Field(
        default=30, ge=0, description="Wrong access tokens from one address; 0: no limit."
    )
    calls_per_user: int | None = Field(
        default=None,
        ge=0,
        description="Calls at the same time of one user; 0: no limit. "
        "Default: three quarters of max_calls.",
    )
    offers_per_minute_per_user: int = Field(
        default=240, ge=0, description="Offers of one user; 0: no limit."
    )
    daily_minutes_per_user: float = Field(
        default=0, ge=0, description="Minutes in calls that one user may have in a day."
    )
    daily_minutes_per_address: float = Field(
        default=0, ge=0, description="The same for one address."
    )
    daily_cost_per_user: float = Field(
        default=0,
        ge=0,
        description="What the calls of one user may cost in a day, by the estimate, in the "
        "currency of the prices.",
    )
    daily_cost_per_address: float = Field(default=0, ge=0, description="The same for one address.")

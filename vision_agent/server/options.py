"""Makes the options of each room from `Settings`; no room below `server/` sees `Settings`."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vision_agent.addresses import Proxies
from vision_agent.agents.loader import Agent
from vision_agent.agents.options import AgentOptions, OwnServices
from vision_agent.calls.admission import AdmissionLimits
from vision_agent.calls.allowance import DailyLimits
from vision_agent.calls.options import (
    CallSettings,
    FrameOptions,
    OutputOptions,
    PeerOptions,
    TimeLimits,
    VideoOptions,
)
from vision_agent.calls.recording_policy import RecordingPolicy
from vision_agent.live.pricing import read_prices
from vision_agent.live.tools.background import ToolLimits
from vision_agent.recordings.call_files import RecordingLimits
from vision_agent.server.call_tokens import MAX_LIFETIME_S
from vision_agent.server.identification import Identification, Identify
from vision_agent.server.receiving import media_host
from vision_agent.server.reception import SignallingOptions
from vision_agent.settings import Settings

if TYPE_CHECKING:
    from vision_agent.live.sessions.shared_counts import SharedCounts

logger = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.0/8", "::1")


def admission_limits(settings: Settings) -> AdmissionLimits:
    """The limits of one user, one address, one call and one conversation."""
    # A single caller may use at most three quarters of the calls.
    most = math.ceil(settings.max_calls * 3 / 4)
    of_address, of_user = settings.calls_per_address, settings.calls_per_user
    return AdmissionLimits(
        calls_per_address=most if of_address is None else of_address,
        calls_per_user=most if of_user is None else of_user,
        offers_per_minute_per_user=settings.offers_per_minute_per_user,
        daily_per_user=DailyLimits(settings.daily_minutes_per_user, settings.daily_cost_per_user),
        daily_per_address=DailyLimits(
            settings.daily_minutes_per_address, settings.daily_cost_per_address
        ),
        unconnected_calls_per_address=settings.unconnected_calls_per_address,
        offers_per_minute=settings.offers_per_minute,
        restarts_per_minute=settings.restarts_per_minute,
        wrong_tokens_per_minute=settings.wrong_tokens_per_minute,
    )


def shared_counts(settings: Settings, services: OwnServices) -> SharedCounts | None:
    """The counts of token uses and daily usage; None to count in memory.

    Args:
        settings: The options.
        services: ADK services in place of ours: without our database, everything is in memory.
    """
    limits = admission_limits(settings)
    nothing = DailyLimits()
    if settings.token is None and limits.daily_per_user == limits.daily_per_address == nothing:
        return None
    url = settings.database_url()
    if url is None or services.sessions is not None:
        logger.info(
            "The uses of tokens and what was used today are counted in the memory of this process: "
            "it has no session database of its own. A restart forgets them."
        )
        return None
    # Imported here, because SQLAlchemy takes a while to load.
    from vision_agent.live.sessions.shared_counts import SharedCounts

    return SharedCounts(url)


def agent_options(
    settings: Settings,
    agents: Agent | Sequence[Agent] | None = None,
    services: OwnServices | None = None,
) -> AgentOptions:
    """The options of the server's agents.

    Args:
        settings: The options.
        agents: The agents; None for those that the options name.
        services: ADK services in place of ours.

    Raises:
        OwnModelError: One of the user's own servers has an unusable name.
    """
    return AgentOptions(
        agent=settings.agent if agents is None else agents,
        model=settings.model,
        answers=settings.answers(),
        own_models=settings.own_models(),
        scenario=settings.scenario,
        data_dir=settings.data_dir,
        max_calls=settings.max_calls,
        tool_limits=ToolLimits(
            settings.tool_timeout_s, settings.tool_timeouts, frozenset(settings.slow_tools)
        ),
        database_url=settings.database_url(),
        memory_path=settings.memory_path(),
        resume_within_s=settings.resume_within_s,
        keep_s=settings.keep_days * 86_400,
        services=services or OwnServices(),
    )


def call_settings(settings: Settings) -> CallSettings:
    """The options of every call.

    Raises:
        PriceError: The table of prices can't be used.
    """
    return CallSettings(
        videos=VideoOptions(
            camera=FrameOptions(
                rate_hz=settings.frame_rate_hz,
                max_px=settings.frame_max_px,
                max_bytes=settings.frame_max_bytes,
                change=settings.frame_change,
                max_gap_s=settings.frame_max_gap_s,
            ),
            screen=FrameOptions(
                rate_hz=settings.screen_rate_hz,
                max_px=settings.screen_max_px,
                max_bytes=settings.screen_max_bytes,
                change=settings.screen_change,
                max_gap_s=settings.screen_max_gap_s,
            ),
            share_screen=settings.share_screen,
        ),
        output=OutputOptions(
            barge_in_hold_ms=settings.barge_in_hold_ms, tool_reports=settings.tool_reports
        ),
        peer=PeerOptions(
            ice_servers=settings.ice(),
            connect_timeout_s=settings.connect_timeout_s,
            vanished_after_s=settings.vanished_after_s,
        ),
        limits=TimeLimits(
            max_call_s=settings.max_call_s, idle_s=settings.idle_s, warn_s=settings.warn_s
        ),
        prices=read_prices(settings.prices),
        recording=recording_policy(settings),
    )


def recording_policy(settings: Settings) -> RecordingPolicy:
    """Which calls are recorded, where, and how much of them."""
    limits = None
    if settings.record is not None:
        free = settings.record_min_free_mb
        limits = RecordingLimits(
            folder=settings.record,
            max_s=60 * settings.record_max_minutes,
            max_bytes=round(1_000_000 * settings.record_max_mb),
            min_free_bytes=None if free is None else round(1_000_000 * free),
        )
    return RecordingPolicy(limits, settings.record_calls, settings.record_consent)


def identification(settings: Settings, identify: Identify | None) -> Identification:
    """The way in which the server finds out who calls."""
    return Identification(
        identify,
        user_header=settings.user_header,
        # Without a list of proxies, only this machine may name the caller.
        login_proxies=Proxies(settings.trusted_proxies or LOOPBACK),
        has_token=settings.token is not None,
    )


def token_continues_s(settings: Settings) -> float:
    """How long an expired token may still be needed by what it has begun.

    It reaches a call until its end, and its conversation as long as that can be continued.
    """
    return (settings.max_call_s or MAX_LIFETIME_S) + settings.resume_within_s


def signalling_options(settings: Settings) -> SignallingOptions:
    """What the signalling routes need to know."""
    return SignallingOptions(
        ice_servers=settings.ice(),
        resume_within_s=settings.resume_within_s,
        listens_on=settings.host,
        media_host=media_host(settings),
        gives_tokens=settings.token is not None,
        worker=settings.worker,
        share_screen=settings.share_screen,
        recording=recording_policy(settings),
    )

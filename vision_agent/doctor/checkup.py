"""All checks of `vision-agent doctor`, in the order in which they are reported."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from vision_agent.doctor.finding import Finding
from vision_agent.doctor.ice_checks import check_ice
from vision_agent.doctor.install_checks import (
    check_agents,
    check_distribution,
    check_privacy,
)
from vision_agent.doctor.machine_checks import (
    check_aiortc,
    check_camera,
    check_codecs,
    check_disk,
    check_libraries,
    check_sound,
)
from vision_agent.doctor.media_checks import check_media
from vision_agent.doctor.model_checks import (
    check_engine,
    check_key,
    check_model,
    check_prices,
    check_service,
)
from vision_agent.doctor.network_checks import (
    check_access,
    check_port,
    check_secure_context,
)
from vision_agent.doctor.own_model_checks import check_own_models
from vision_agent.doctor.run import Check, in_thread
from vision_agent.settings import Settings

Look = Callable[[], Awaitable[Sequence[Finding]]]


def all_checks(settings: Settings, environ: Mapping[str, str]) -> list[Check]:
    """Return the checks for these settings.

    Args:
        settings: The settings a server would be started with.
        environ: Where google-genai looks for credentials.
    """

    def threaded(look: Callable[[], Sequence[Finding]]) -> Look:
        return functools.partial(in_thread, look)

    return [
        Check("key", threaded(lambda: check_key(environ))),
        # Loads the agent's own code, which may take its time.
        Check("model", threaded(lambda: check_model(settings, environ)), deadline_s=60),
        Check(
            "agents",
            threaded(lambda: check_agents(settings.agent, settings.model, environ)),
            deadline_s=60,
        ),
        Check("prices", threaded(lambda: check_prices(settings.prices))),
        Check("service", lambda: check_service(settings, environ), deadline_s=15),
        Check("own models", lambda: check_own_models(settings), deadline_s=15),
        Check(
            "local engine",
            check_engine,
            deadline_s=75,
            on_timeout="The machine is very busy, or vision-agent must be reinstalled.",
        ),
        Check("media", lambda: check_media(settings, environ), deadline_s=12),
        Check("ice", lambda: check_ice(settings.ice()), deadline_s=12),
        Check("port", threaded(lambda: check_port(settings.host, settings.port))),
        Check(
            "access",
            threaded(
                lambda: check_access(
                    settings.host, has_token=settings.token is not None, environ=environ
                )
            ),
        ),
        Check("https", threaded(lambda: check_secure_context(settings.host))),
        Check("sound", threaded(check_sound)),
        Check("codecs", threaded(check_codecs), deadline_s=30),
        Check("libraries", threaded(_check_what_needs_opencv), deadline_s=45),
        Check("install", threaded(check_distribution)),
        Check("privacy", threaded(lambda: check_privacy(settings.data_dir))),
        Check("disk", threaded(lambda: check_disk(Path.cwd()))),
    ]


def _check_what_needs_opencv() -> list[Finding]:
    # One after the other: OpenCV must not be imported by two threads at once, and the other checks
    # need it.
    found = check_libraries()
    if any(finding.status == "problem" for finding in found):
        return found
    return [*found, *check_camera(), *check_aiortc()]

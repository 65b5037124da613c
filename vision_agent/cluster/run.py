"""Runs a cluster on this machine, or deploys to a running one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from vision_agent.addresses import is_loopback
from vision_agent.agents.directory import AgentDirectory
from vision_agent.cluster.options import (
    APPLICATION,
    NAMESPACE,
    ClusterOptions,
    read_address,
    read_workers,
)
from vision_agent.cluster.worker_state import WorkerDidNotStart, why_not_started
from vision_agent.data_folder import DatabaseError
from vision_agent.server.ingress.exposure import ADVICE, exposure
from vision_agent.server.listening import CannotListen, listen, shown
from vision_agent.server.options import agent_options
from vision_agent.settings import Settings

START_S = 120.0
STOP_S = 20.0
OBJECT_STORE_BYTES = 80_000_000
"""Ray's smallest: only requests and figures pass through it."""

REACH_S = 5.0
"""Ray itself repeats its attempts for minutes."""

ROUTER = "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP"

ENVIRONMENT = {
    # Ray starts workers at nice 15, behind every other program of the machine: voice can't wait.
    "RAY_worker_niceness": "0",
    # Serve's control loop runs ten times a second: 3 % of a core.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "1",
    # What is asynchronous, as all of ours is, needs no thread between Serve's loops and its own:
    # each hop waits for its turn where the cores are busy.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    ROUTER: "0",
    # Serve starts its proxy again after 5 s, and gives up the third time: on a machine that has
    # other work, importing it takes longer.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30",
}
"""The environment of a Ray that we start; variables that are set already take precedence."""

LOGGING = {"log_level": "WARNING", "enable_access_log": False}
"""Serve's logging: a line for each request would be written several times a second."""


class ClusterError(RuntimeError):
    """The cluster can't start; the text says why."""


def run_cluster(
    settings: Settings,
    *,
    workers: str,
    address: str | None,
    dashboard: bool,
    say: Callable[[str], None],
) -> None:
    """Answer calls until SIGINT or SIGTERM; with an address: deploy, and return.

    SIGINT ends the calls. SIGTERM first lets those in progress continue for `Settings.drain_s` and
    refuses new ones; a second signal ends them at once.

    Args:
        settings: The options; `max_calls` is that of one worker.
        workers: The number of workers, as `read_workers` takes it.
        address: A running Ray cluster: `ray://host:10001`, `host:6379`, or `auto`. None: Ray runs
            on this machine.
        dashboard: Show Ray's dashboard, on loopback; a running cluster has its own.
        say: Prints a line for the person who started the cluster.

    Raises:
        AgentError, ModelError: See `AgentDirectory`.
        ClusterError: An option can't be used.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        least, most = read_workers(workers, cores or 1)
    except ValueError as error:
        raise ClusterError(f"--workers: {error}") from error
    try:
        running = read_address(address) if address is not None else None
    except ValueError as error:
        raise ClusterError(f"--address: {error}") from error
    _check(settings, alone=address is None)
    ends = settings.port_range()
    if address is None and ends is not None and ends[1] - ends[0] + 1 < most:
        raise ClusterError(
            f"--udp-ports {settings.udp_ports} has too few ports for {most} workers: each needs "
            "one. Write a longer range, or fewer --workers."
        )
    try:
        agents = AgentDirectory(agent_options(settings))
        asyncio.run(agents.check())
        # Serve takes no port 0.
        with listen(settings.host, settings.port) as bound:
            port = bound.getsockname()[1]
    except (CannotListen, DatabaseError) as error:
        raise ClusterError(str(error)) from error
    settings = settings.model_copy(update={"port": port})
    if address is None:
        token, dashboard_url = _start_ray(most, dashboard)
    else:
        _connect(address, running)
        if not workers:
            import ray

            most = max(1, int(ray.cluster_resources().get("CPU", 1)))
    from vision_agent.cluster.app import new_generation

    options = ClusterOptions(settings, new_generation(), least, most, on_loopback=address is None)
    try:
        fleet = deploy(options, everywhere=address is not None)
        wait_until_ready(options.generation)
        say(f"vision-agent: http://{shown(_shown_host(settings.host), port)}")
        say(agents.summary)
        count = f"{least}" if least == most else f"{least} to {most}"
        say(f"Workers: {count}, with {settings.max_calls} calls each.")
        if address is not None:
            say("Deployed. The cluster goes on by itself; `serve shutdown` ends it.")
            return
        if dashboard:
            say(f"Ray's dashboard: http://{dashboard_url} (token: {token})")
        warning = exposure(
            settings.host,
            has_token=settings.token is not None,
            paid=any(host.model_choice.kind != "local" for host in agents.hosts.values()),
        )
        if warning:
            say(f"Warning: {warning} {ADVICE}")
        say("Press Ctrl-C to stop.")
        with _signals() as received:
            _until_stopped(fleet, settings.drain_s, received)
    finally:
        if address is None:
            stop_ray()


def _check(settings: Settings, *, alone: bool) -> None:
    """Refuse options that do not work over several processes or machines."""
    if settings.https or settings.cert:
        raise ClusterError("A cluster speaks HTTP: let the proxy in front of it speak HTTPS.")
    url = settings.database_url() or ""
    if not alone and url.startswith("sqlite"):
        raise ClusterError(
            "Workers on several machines need one database for conversations, so that a caller "
            "can come back to another one: --session-db postgresql://…"
        )


def _start_ray(most: int, dashboard: bool) -> tuple[str, str]:
    """Start Ray on this machine, for this process.

    Returns:
        The token of its services, and the dashboard's address, if there is one.
    """
    token = os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_urlsafe(32))
    # Ray's services listen on every address of the machine, and execute what they are sent.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    ray = _ray()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    context = ray.init(
        address="local",
        # Twice: while a new worker takes over, the old one still has its calls.
        num_cpus=2 * most,
        object_store_memory=OBJECT_STORE_BYTES,
        namespace=NAMESPACE,
        include_dashboard=dashboard,
        dashboard_host="127.0.0.1",
        logging_level="warning",
    )
    return token, context.dashboard_url


def _connect(address: str, listening: tuple[str, int] | None) -> None:
    ray = _ray()
    try:
        if listening is not None:
            socket.create_connection(listening, REACH_S).close()
        ray.init(address=address, namespace=NAMESPACE, logging_level="warning")
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(f"No Ray cluster can be reached at {address}: {error}") from error


def _ray() -> Any:
    # Before Ray is imported, which reads them.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    # Handles of this process are used outside of an event loop: they need one of their own.
    router = os.environ.pop(ROUTER, None)
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise ClusterError(
            f"Ray is not installed ({error}): pip install 'adk-video-call[cluster]'"
        ) from error
    finally:
        if router is not None:
            os.environ[ROUTER] = router
    # What is said here is said by us: Serve's own steps, and at the end its lost connections.
    assert serve is not None
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    return ray


def deploy(options: ClusterOptions, *, everywhere: bool) -> Any:
    """Deploy in place of the present deployment; returns Serve's handle of the fleet.

    Args:
        options: The deployment.
        everywhere: Whether every machine with an ingress listens, or only the first one.
    """
    from ray import serve

    from vision_agent.cluster.app import FLEET, application

    serve.start(
        proxy_location="EveryNode" if everywhere else "HeadOnly",
        http_options={"host": options.settings.host, "port": options.settings.port},
        logging_config=LOGGING,
    )
    serve.run(
        application(options, ingresses=2 if everywhere else 1),
        name=APPLICATION,
        route_prefix="/",
        logging_config=LOGGING,
    )
    return serve.get_deployment_handle(FLEET, APPLICATION)


def wait_until_ready(generation: str, workers: int = 1) -> None:
    """Wait for workers of a deployment; `ClusterError` if they do not start.

    The workers are asked directly, because Serve's handle of the fleet has a thread that logs its
    end when this process leaves a cluster that continues.
    """
    import ray
    from ray.exceptions import RayActorError

    from vision_agent.cluster.worker import PREFIX

    asked: dict[str, Any] = {}
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        for name in ray.util.list_named_actors():
            if name.startswith(f"{PREFIX}.{generation}.") and name not in asked:
                with contextlib.suppress(ValueError):  # it has ended meanwhile
                    asked[name] = ray.get_actor(name, NAMESPACE).state.remote()
        told, _ = (
            ray.wait([*asked.values()], num_returns=len(asked), timeout=0.5) if asked else ([], [])
        )
        ready = 0
        for one in told:
            with contextlib.suppress(RayActorError):
                try:
                    ray.get(one)
                    ready += 1
                except WorkerDidNotStart as error:
                    why = why_not_started(error)
                    raise ClusterError(f"A worker can't start: {why}") from error
        if ready >= workers:
            return
        time.sleep(0.5)
    raise ClusterError("No worker has started; the reason stands above.")


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals received so far, in order."""
    received: list[int] = []

    def take(number: int, frame: FrameType | None) -> None:
        received.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, take) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _until_stopped(fleet: Any, drain_s: float, received: list[int]) -> None:
    """Wait for a signal, then end the calls as it asks."""
    from ray.exceptions import RayError

    while not received:
        time.sleep(0.1)
    grace_s = drain_s if received[0] == signal.SIGTERM else 0.0
    stopping = fleet.stop.remote(grace_s)
    ended = threading.Event()

    def wait() -> None:
        with contextlib.suppress(RayError, TimeoutError):
            stopping.result(timeout_s=grace_s + STOP_S)
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    while not ended.wait(0.1):
        if len(received) > 1:
            # Ray itself may have received the signal too.
            with contextlib.suppress(RayError, TimeoutError):
                fleet.stop.remote(0.0).result(timeout_s=STOP_S)
            return


def stop_ray() -> None:
    """End the Ray that this process has started, and with it the deployment."""
    import ray

    if ray.is_initialized():
        # A thread of Serve's still consumes the last result, and may be later than the end.
        logging.getLogger("ray.serve").setLevel(logging.CRITICAL)
        # Serve is not ended first: Ray would log a line about each of its tasks.
        ray.shutdown()


def _shown_host(host: str) -> str:
    return "localhost" if host in ("0.0.0.0", "::") or is_loopback(host) else host

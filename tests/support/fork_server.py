"""A process that has imported the product once and forks its child processes.

Importing ADK costs each server two seconds of CPU, the engine's models cost its local Live API two,
and the suite starts hundreds of both. A fork already has the modules, and a recogniser its models.
Everything else is as in ``python -m module``: pid, standard streams, environment, working
directory, signals, exit status, exit handlers.

Requests arrive on the given Unix socket, one connection for each child. The answer is the child's
pid, and later its exit status. Forks send requests too: a command starts its server here, and a
server its local Live API. Requests for local Live APIs and for hibari's workers arrive on a second
socket. A child with onnxruntime, which starts a thread, forks those and nothing else: they only run
their networks, which need no thread.

The process ends with its standard input, and so with the process that started it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import os
import queue
import runpy
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import aiosqlite.core
import typer.main
from google.adk.platform.time import set_time_provider

from tests.support.authorities import leave_out_the_webs
from tests.support.declared import build_schemas, declare_tools, look_at_private_attributes
from tests.support.fork_request import Request
from tests.support.forked import LOCAL_API, VOICE, ForkedProcess
from tests.support.kept_worker import KeptWorkers, keep_models, next_request
from tests.support.networks import load_networks, share_networks
from vision_agent import rtc
from vision_agent.caller import recording, tracks
from vision_agent.cli.main import app
from vision_agent.evaluation.virtual_calls import VirtualCalls
from vision_agent.live import local_process
from vision_agent.local import certificate
from vision_agent.local.engine.hearing import grammar_decoder, whispers
from vision_agent.local.engine.hearing.recognizer import Recognizer, Transcription
from vision_agent.local.engine.language.understanding import Understanding
from vision_agent.local.engine.sight.look import Sight
from vision_agent.local.engine.speech import hibari
from vision_agent.local.engine.weights import WHISPER_TINY, Weights, whisper_base
from vision_agent.local.engine.worker_process import WorkerProcess
from vision_agent.server_process import ServerProcess

IMPORTED = (
    "vision_agent.cli.main",
    "vision_agent.server.run",
    "vision_agent.local.process",
    "vision_agent.local.scenarios.scenario_file",
    "google.adk.runners",
    # Modules that ADK imports in a server's first call.
    "google.adk.auth.auth_preprocessor",
    "google.adk.agents._agent_router",
    "google.adk.flows.llm_flows.auto_flow",
    "google.adk.live._live_llm_flow",
    "google.adk.live._runner_utils",
    "google.adk.telemetry.node_tracing",
    "google.adk.tools._node_tool",
    "google.adk.workflow._workflow",
    "google.auth.aio.credentials",
    "httpcore",
    "google.adk.sessions.database_session_service",
    "google.adk.memory.in_memory_memory_service",
    "google.adk.tools.agent_tool",
    "google.genai",
    "pydantic.v1",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "fastapi.telemetry._runtime",
    "typer._adapters",
    "typer._click.decorators",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "vision_agent.live.sessions.database",
    "vision_agent.local.engine.engine",
    "vision_agent.local.engine.hearing.whisper",
    "vision_agent.local.engine.speech.espeak",
    "vision_agent.local.engine.speech.hibari",
    "rapidocr.main",
    # Modules that callers import, and engines at their first frame and sentence.
    "vision_agent.caller.interactive_call",
    "vision_agent.evaluation.scripted_server",
    "vision_agent.evaluation.virtual_process",
    "numpy.ma",
    "tokenizers",
)
"""The modules that are imported once; none that starts a thread, such as onnxruntime."""

WORKERS = ("tests.support.worker_server", "tests.support.worker", "tests.cluster.ray_server")
"""Pytest's workers and the children that fork workers: they start processes in the usual way."""

RECOGNIZER = "vision_agent.local.engine.hearing.recognizer_worker"
VIRTUAL = "vision_agent.evaluation.virtual_process"


_whisper: Path | None = None
"""The folder of a joined Whisper, which is removed when this process ends."""


def threads() -> int:
    """The number of this process's threads, including those outside of Python."""
    return len(os.listdir("/proc/self/task"))


def _check_that_it_can_fork() -> None:
    """Threads do not survive a fork, and the locks that they hold are never released."""
    if threads() != 1:
        raise RuntimeError(
            f"{threads()} threads run after the imports ({threading.enumerate()} of Python): "
            f"one of {', '.join(IMPORTED)} has started some, and must not be imported here."
        )


def _load_models(module: str) -> None:
    """Loads the models that a worker's children take; further ones are loaded as usual."""
    if module == RECOGNIZER:
        _put_whispers_ready()
        made = grammar_decoder.GrammarDecoder()
        grammar_decoder.GrammarDecoder = lambda: made
        _check_that_it_can_fork()
    elif module == VOICE:
        speaker = hibari.Hibari()
        hibari.Hibari = lambda: speaker
    else:
        share_networks()
        load_networks()


def _put_whispers_ready() -> None:
    """Checks the files of both Whispers, and joins the parts of one, for all children.

    CTranslate2 starts a thread for each model, so each child loads its own.
    """
    global _whisper
    WHISPER_TINY.path()
    # Not a `TemporaryDirectory`, which the first child would remove at its end.
    _whisper = folder = Path(tempfile.mkdtemp())
    with whisper_base() as joined:
        for file in joined.iterdir():
            target = file.readlink()
            if target.parent == Path("/dev/fd"):
                # Children don't inherit the descriptor, but can open the file as long as it is open
                # in this process.
                target = Path(f"/proc/{os.getpid()}/fd/{os.dup(int(target.name))}")
            (folder / file.name).symlink_to(target)
    whispers.whisper_base = lambda: contextlib.nullcontext(folder)
    # Most tests say nothing for which a second Whisper is asked.
    whispers.Whispers.load_early = lambda _: False


def _start_engines_late() -> None:
    """Delays loading a model until a frame, word or sentence needs it: in most tests, none does."""

    async def not_yet(_: object) -> None:
        pass

    start, begin = Recognizer.start, Recognizer.begin

    def begin_and_start(self: Recognizer, agents: Sequence[str] = ()) -> Transcription | None:
        start(self)
        return begin(self, agents)

    Sight.warm_up = not_yet
    Recognizer.start = Understanding.begin = lambda _: None
    Recognizer.begin = begin_and_start


def _read_the_clock_by_name() -> None:
    """Make modules look up the clock at each use: virtual time replaces it after their import."""
    aiosqlite.core.SimpleQueue = queue._PySimpleQueue
    set_time_provider(lambda: time.time())


def _fork_what_is_started() -> None:
    ServerProcess._start_process = staticmethod(ForkedProcess.start)
    local_process._Child.start_process = ForkedProcess.start
    WorkerProcess.start_process = staticmethod(ForkedProcess.start)
    VirtualCalls.start_process = staticmethod(ForkedProcess.start)


def become(request: Request, streams: list[int], further: socket.socket | None) -> NoReturn:
    """In the child: set up a new process's state, run its program, and end.

    Args:
        further: Where a worker that is kept gets its next request.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request.new_session:
        os.setsid()
    _take(request, streams)
    # All other open files belong to the parent and its other children.
    if further is None:
        os.closerange(3, 1 << 16)
    else:
        os.dup2(further.fileno(), 3)
        os.closerange(4, 1 << 16)
        keep_models()
    if request.module not in WORKERS:
        _fork_what_is_started()
        _start_engines_late()
        # Encoding thirty frames a second takes a fifth of a core: see tests/conftest.py.
        recording.MAX_FPS = 4.0
        tracks.SILENCE_PACKET_MS = 120
    if request.module == VIRTUAL:
        _read_the_clock_by_name()
    status = _run(request.module)
    if further is not None:
        with socket.socket(fileno=3) as connection:
            while not status:
                request, streams = next_request(connection)
                _take(request, streams)
                for stream in streams:
                    os.close(stream)
                status = _run(request.module)
    _end(status)


def _take(request: Request, streams: list[int]) -> None:
    """Take what the parent gives: streams, folder, environment and arguments."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.path[0] = request.folder
    sys.argv[1:] = request.arguments


def _run(module: str) -> int:
    """Run a module as the main program; its exit status."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        return end.code or 0
    return 0


def _end(status: int) -> NoReturn:
    """Ends as the interpreter does, but does not tear down the modules: that takes 0.4 s a child.

    An uncaught exception is left to the interpreter.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        status = 120
    os._exit(status & 0xFF)


def _ended() -> Iterator[tuple[int, int]]:
    """The pid and the exit status of every child that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)


_Child = tuple[Request, list[int], socket.socket | None]
"""What `become` takes."""


def fork_on_request(listener: socket.socket, until: int = 0) -> _Child | None:
    """Forks until standard input ends, or another file; in a child, returns what it becomes."""
    # A collection in a child then neither traverses nor copies the objects that exist now. A
    # collection before this would take 0.3 s, for which everything waits, and find little.
    gc.freeze()
    gc.enable()
    waiting: dict[int, socket.socket] = {}
    unloaded = {RECOGNIZER, VOICE, LOCAL_API}
    kept = KeptWorkers()
    wake_up, woken = socket.socketpair()
    with selectors.DefaultSelector() as selector, wake_up, woken:
        for end in (wake_up, woken):
            end.setblocking(False)
        signal.set_wakeup_fd(woken.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for file in (until, listener, wake_up):
            selector.register(file, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            for file in filter(kept.__contains__, ready):
                if (pid := kept.ended(file)) is None:
                    selector.unregister(file)
                elif (connection := waiting.pop(pid, None)) is not None:
                    with connection:
                        _tell(connection, 0)
            if wake_up in ready:
                wake_up.recv(4096)
                for pid, status in _ended():
                    if (connection := waiting.pop(pid, None)) is not None:
                        with connection:
                            _tell(connection, status)
            if listener in ready:
                connection, _ = listener.accept()
                request, streams = Request.receive(connection)
                pid = kept.hand_over(request, streams) if request.keep else None
                if pid is None:
                    if request.module in unloaded:
                        unloaded.remove(request.module)
                        _load_models(request.module)
                    ours, theirs = socket.socketpair() if request.keep else (None, None)
                    if (pid := os.fork()) == 0:
                        return request, streams, theirs
                    if ours is not None and theirs is not None:
                        theirs.close()
                        kept.add(ours, pid)
                        selector.register(ours, selectors.EVENT_READ)
                for stream in streams:
                    os.close(stream)
                waiting[pid] = connection
                _tell(connection, pid)
            if until in ready:  # nothing is ever written to it
                if _whisper is not None:
                    shutil.rmtree(_whisper)
                signal.set_wakeup_fd(-1)  # kept workers end after this
                return None


def _tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # the requester may be gone
        connection.sendall(f"{number}\n".encode())


def main(listener: socket.socket, networks: socket.socket) -> _Child | None:
    """Imports and serves; in each child, returns what it becomes."""
    # Ctrl-C is for the requesters; this process ends with its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_out_the_webs()
    # Imports leave hardly any garbage, and looking for it takes a quarter of the CPU.
    gc.disable()
    # Each local Live API would take 4 ms to make a certificate of its own.
    certificate.make_tls = functools.cache(certificate.make_tls)
    certificate.make_tls()
    # Each file of weights is hashed once: that takes 0.2 s for each recogniser.
    Weights.path = functools.cache(Weights.path)
    for module in IMPORTED:
        importlib.import_module(module)
    build_schemas()
    declare_tools()
    look_at_private_attributes()
    rtc.install()  # once it has checked what it replaces
    # Each command would take 18 ms to build its command-line parser.
    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(app)
    _check_that_it_can_fork()
    if os.fork() == 0:
        listener.close()
        with networks:
            child = fork_on_request(networks)
        # The interpreter would take 0.4 s to tear down the modules.
        return child or os._exit(0)
    networks.close()
    with listener:
        return fork_on_request(listener)


if __name__ == "__main__" and (
    child := main(*(socket.socket(fileno=int(n)) for n in sys.argv[1:]))
):
    # The stack holds no frame of the parent here, so the interpreter ends as usual.
    become(*child)

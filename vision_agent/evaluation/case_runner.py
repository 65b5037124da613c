"""Makes the call of a case and compares it with the expectations. Every failure is a sentence."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.recording import BadRecording, Recording
from vision_agent.evaluation.caller_voice import CallerVoice
from vision_agent.evaluation.evaluators import Evaluators
from vision_agent.evaluation.expectations import verdicts
from vision_agent.evaluation.model import ModelFailure
from vision_agent.evaluation.outcome import CaseOutcome, Evidence, Judge
from vision_agent.evaluation.received_voices import as_opus
from vision_agent.evaluation.recorded import recording_of
from vision_agent.evaluation.servers import CaseNotTried, ServerPool
from vision_agent.evaluation.simulated_caller import SimulatedCaller
from vision_agent.evaluation.steps import steps_of
from vision_agent.evaluation.suite import JudgeModel, Persona
from vision_agent.evaluation.trials import Trial
from vision_agent.evaluation.virtual_call import ServerNotStarted, VirtualCall
from vision_agent.evaluation.virtual_calls import VirtualPool, VirtualProcessEnded
from vision_agent.local.engine.speech.synthesizer_process import SpeechError
from vision_agent.recordings.recorded_call import BadRecordedCall
from vision_agent.replay.caller import ReplayOptions, replay
from vision_agent.replay.report import Report
from vision_agent.replay.script import CallScript, FixedScript, Speak, Wait
from vision_agent.server_process import ServerProcess

_log = logging.getLogger(__name__)

_JUDGE_TIMEOUT_S = 180.0
# Added to the timeouts of all turns: a call that takes longer is stuck.
_SLACK_S = 120.0
_LONGEST_RECORDING_S = 4 * 3600.0
_NOT_TRIED = (
    CaseNotTried,
    BadRecording,
    BadRecordedCall,
    ModelFailure,
    ServerNotStarted,
    SpeechError,
    VirtualProcessEnded,
    OSError,
)


class AskedModels(Protocol):
    """Makes the judges, and the callers that a model plays."""

    def judge(self, model: JudgeModel) -> Judge:
        """Return a judge."""

    def caller(self, persona: Persona, model: JudgeModel, voice: CallerVoice) -> CallScript:
        """Return a caller for one call."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How calls are made.

    Attributes:
        folder: Where servers write their logs and recordings.
        parallel: How many calls that the local engine answers run at once; None: as many as the
            machine's cores allow. Scripted answers allow several times as many.
        token: The access token of running servers whose target has none.
        headers: HTTP headers for running servers, besides those of a target.
        serve_arguments: Further arguments for the servers that are started.
        record: Whether the servers that are started record their calls, and the caller records both
            voices of calls to other servers.
        models: Makes judges and played callers; None: the models that the suites name.
        server_class: The class of the servers.
    """

    folder: Path
    parallel: int | None = None
    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    serve_arguments: Sequence[str] = ()
    record: bool = False
    models: AskedModels | None = None
    server_class: Callable[..., ServerProcess] = ServerProcess


class CaseRunner:
    """Makes calls; use it as a context manager, which ends its servers.

    Args:
        options: How calls are made.
        trials: The trials that are known to come.
    """

    def __init__(self, options: RunOptions, trials: Iterable[Trial] = ()) -> None:
        self._options, self._voice = options, CallerVoice()
        self._evaluators = Evaluators()
        self._models: AskedModels = options.models or self._evaluators
        self._pool = ServerPool(
            options.folder,
            (trial for trial in trials if not self._is_virtual(trial)),
            options.serve_arguments,
            record=options.record,
            server_class=options.server_class,
        )
        self._virtual_folder = options.folder / "virtual"
        self._virtual = VirtualPool(self._virtual_folder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the servers, the voice and the connections to models."""
        owned = (self._pool, self._virtual, self._voice, self._evaluators)
        await asyncio.gather(*(one.close() for one in owned))

    async def outcome(self, trial: Trial) -> CaseOutcome:
        """Make one call; a failure becomes the outcome's error."""
        outcome = CaseOutcome(
            trial.suite.name, trial.case.name, trial.agent, trial.model, trial.repeat
        )
        begun = time.monotonic()
        try:
            await self._make(trial, outcome)
        except _NOT_TRIED as error:
            outcome.error = str(error)
        except Exception as error:
            _log.warning("Case %r: %s", trial.case.name, error, exc_info=True)
            outcome.error = f"{type(error).__name__}: {error}"
        outcome.took_s = time.monotonic() - begun
        return outcome

    async def _make(self, trial: Trial, outcome: CaseOutcome) -> None:
        virtual = self._is_virtual(trial)
        make = self._virtual_call if virtual else self._call
        script = await self._script(trial)
        report = outcome.report = await make(trial, script)
        if report.connected_ms is None:
            outcome.error = " ".join(report.errors) or f"There was no call: {report.ended}"
            return
        if self._options.record and trial.server is not None:
            folder = self._virtual_folder if virtual else self._pool.folder(trial.server)
            outcome.recorded = await recording_of(folder, report.call_id)
        if (sound := self._sound_of(trial)) is not None:
            outcome.received = await asyncio.to_thread(as_opus, sound)
        if isinstance(script, SimulatedCaller):
            outcome.caller = script.outcome
            if script.has_failed:
                outcome.error = outcome.caller
                return
        judged = await self._judged(trial, Evidence(report, outcome.recorded))
        outcome.verdicts = verdicts(trial.expected, report, judged)
        if isinstance(script, SimulatedCaller) and not trial.expected:
            outcome.verdicts.append(script.verdict)
        # The sound of a thousand calls would fill the memory.
        report.voice = ReceivedAudio()

    def _sound_of(self, trial: Trial) -> Path | None:
        """The caller's recording of a call to a server that the run did not start, or None."""
        if not self._options.record or trial.server is not None:
            return None
        folder = self._options.folder / "received"
        folder.mkdir(parents=True, exist_ok=True)
        which = (trial.suite.name, trial.case.name, trial.agent, trial.model, trial.repeat)
        digest = hashlib.sha256(repr(which).encode()).hexdigest()[:8]
        name = re.sub(r"[^\w-]+", "-", trial.case.name)[:60]
        return folder / f"{name}-{trial.repeat}-{digest}.wav"

    def _is_virtual(self, trial: Trial) -> bool:
        # Only the command knows the meaning of further arguments.
        return trial.is_virtual and not self._options.serve_arguments

    async def _virtual_call(self, trial: Trial, script: CallScript | None) -> Report:
        assert trial.server is not None
        assert trial.server.scenario is not None
        options = self._options_of(trial, "", script)
        settings: dict[str, Any] = {"agent": trial.server.agent}
        if self._options.record:
            settings["record"] = self._virtual_folder
        return await self._virtual.make(VirtualCall(settings, trial.server.scenario, options))

    async def _call(self, trial: Trial, script: CallScript | None) -> Report:
        try:
            options = self._options_of(trial, await self._address(trial), script)
            limit_s = _longest_s(trial) + await asyncio.to_thread(_playing_s, options)
            try:
                async with asyncio.timeout(limit_s):
                    return await replay(options)
            except TimeoutError:
                raise CaseNotTried(f"The call was not over after {limit_s:.0f} s.") from None
        finally:
            if trial.server is not None:
                await self._pool.release(trial.server)

    async def _address(self, trial: Trial) -> str:
        if trial.server is not None:
            return await self._pool.address(trial.server)
        assert trial.target is not None
        assert trial.target.url is not None
        return trial.target.url

    def _options_of(self, trial: Trial, url: str, script: CallScript | None) -> ReplayOptions:
        case, target = trial.case, trial.target
        is_running = trial.server is None
        return ReplayOptions(
            case.show or case.replay,
            url,
            screen=case.screen,
            timeout_s=trial.timeout_s,
            token=(target and target.token) or (self._options.token if is_running else None),
            headers={**self._options.headers, **target.headers} if target and is_running else {},
            asked=trial.asked,
            script=script,
            begin_s=case.from_ or 0.0,
            end_s=math.inf if case.to is None else case.to,
            patient=case.patient,
            record=self._sound_of(trial),
        )

    async def _script(self, trial: Trial) -> CallScript | None:
        case = trial.case
        if case.persona is not None:
            model = trial.suite.suite.judge
            if model is None:
                raise CaseNotTried("No model plays the caller: the suite has no 'judge'.")
            return self._models.caller(case.persona, model, self._voice)
        if not case.turns:
            return None
        language = trial.asked.get("language")
        spoken = language if isinstance(language, str) else None
        return FixedScript(await steps_of(case.turns, trial.expected, self._voice, spoken))

    async def _judged(self, trial: Trial, evidence: Evidence) -> dict[str, tuple[bool | None, str]]:
        claims = dict.fromkeys(one.judge for one in trial.expected if one.judge is not None)
        model = trial.suite.suite.judge
        if not claims or model is None:
            return {}
        try:
            judge = self._models.judge(model)
        except ModelFailure as failure:
            return dict.fromkeys(claims, (None, str(failure)))
        judged: dict[str, tuple[bool | None, str]] = {}
        for claim in claims:
            try:
                async with asyncio.timeout(_JUDGE_TIMEOUT_S):
                    judged[claim] = await judge.verdict(claim, evidence)
            except TimeoutError:
                judged[claim] = None, f"The judge has not answered within {_JUDGE_TIMEOUT_S:g} s."
        return judged


def _longest_s(trial: Trial) -> float:
    """Return how long a call may take, without its recordings and sounds, in seconds."""
    turns = len(trial.case.turns) or (trial.case.persona.turns if trial.case.persona else 1)
    return _SLACK_S + (turns + 2) * (trial.timeout_s + 30.0)


def _playing_s(options: ReplayOptions) -> float:
    """Return how long a call's recording and its sounds take, in seconds."""
    if options.script is None and options.file is not None:
        seconds = Recording.open(options.file).duration_s - options.begin_s
        return min(max(0.0, seconds), options.end_s - options.begin_s, _LONGEST_RECORDING_S)
    seconds = 0.0
    for step in options.script.steps if isinstance(options.script, FixedScript) else ():
        if isinstance(step.action, Speak):
            seconds += len(step.action.pcm) / 2 / step.action.rate_hz
        elif isinstance(step.action, Wait):
            seconds += step.action.seconds
    return seconds

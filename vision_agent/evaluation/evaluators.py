"""The judges and the played callers of a run, and the models behind them."""

from __future__ import annotations

from vision_agent.evaluation.caller_voice import CallerVoice
from vision_agent.evaluation.judge import ModelJudge
from vision_agent.evaluation.model import EvaluatorModel
from vision_agent.evaluation.open_model import open_model
from vision_agent.evaluation.simulated_caller import SimulatedCaller
from vision_agent.evaluation.suite import JudgeModel, Persona


class Evaluators:
    """Opens each model once, until `close`."""

    def __init__(self) -> None:
        self._models: dict[str, EvaluatorModel] = {}
        self._judges: dict[EvaluatorModel, ModelJudge] = {}

    async def close(self) -> None:
        """Close every connection."""
        models, self._models = self._models, {}
        for model in models.values():
            await model.close()

    def judge(self, model: JudgeModel) -> ModelJudge:
        """Return the judge that a suite names.

        Raises:
            ModelFailure: The model can't be used under this name, or there is no key.
        """
        opened = self._open(model)
        return self._judges.setdefault(opened, ModelJudge(opened))

    def caller(self, persona: Persona, model: JudgeModel, voice: CallerVoice) -> SimulatedCaller:
        """Return a caller for one call.

        Raises:
            ModelFailure: As `judge`.
        """
        return SimulatedCaller(persona, self._open(model), voice)

    def _open(self, named: JudgeModel) -> EvaluatorModel:
        key = named.model_dump_json()
        if key not in self._models:
            self._models[key] = open_model(
                url=named.url,
                model=named.model,
                gemini=named.gemini,
                key=named.key,
                frames=named.images,
            )
        return self._models[key]

"""What servers would make afresh in each process, of google-genai's types and the usual agent."""

from pydantic import BaseModel

from vision_agent.agents.default_agent import default_agent
from vision_agent.live.adk_hooks import declare

SENT_AND_RECEIVED = {
    "AudioTranscriptionConfig", "AutomaticActivityDetection", "Blob", "Content", "FunctionCall",
    "ContextWindowCompressionConfig", "FunctionDeclaration", "FunctionResponse", "HistoryConfig",
    "GenerateContentConfig", "GenerateContentResponseUsageMetadata", "GroundingMetadata",
    "HttpOptions", "ModalityTokenCount", "RealtimeInputConfig", "SessionResumptionConfig",
    "SlidingWindow", "Tool", "Transcription", "UsageMetadata", "VoiceActivity",
}  # fmt: skip
"""Types of google-genai to build besides those whose names begin with Live."""


def build_schemas() -> None:
    """Builds the schemas that pydantic would build in a server's first call."""
    from google.genai import types

    for name, kept in vars(types).items():
        if not (isinstance(kept, type) and issubclass(kept, BaseModel)):
            continue
        if name.startswith("Live") or name in SENT_AND_RECEIVED:
            kept.model_rebuild()


def look_at_private_attributes() -> None:
    """Finds out how private attributes are made, as pydantic does for a first object."""
    models = [BaseModel]
    for model in models:
        models += model.__subclasses__()
        for attribute in vars(model).get("__private_attributes__", {}).values():
            _ = attribute.default_factory_takes_validated_data


def declare_tools() -> None:
    """Declares the usual agent's tools; ADK keeps the declarations of a function."""
    for tool in default_agent().tools:
        declare(tool)

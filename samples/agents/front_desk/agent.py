"""Three agents in one call: a greeter that transfers to two experts, each with its own voice."""

from google.adk.agents import Agent
from google.adk.models.google_llm import Gemini
from google.genai import types

MODEL = "gemini-3.8-live"


def speaking_as(voice: str) -> Gemini:
    """The live model with this voice."""
    return Gemini(
        model=MODEL,
        speech_config=types.SpeechConfig(
            voice_config=types.VoiceConfig(
                prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=voice)
            )
        ),
    )


def open_hours() -> dict[str, str]:
    """Tell the opening hours of the workshop."""
    return {"opening hours": "nine to five, Monday to Friday"}


def repair_price(item: str) -> dict[str, str]:
    """Tell the repair price of an item.

    Args:
        item: What is broken, for example bicycle, lamp or camera.
    """
    prices = {"bicycle": "40 euros", "lamp": "15 euros", "camera": "60 euros"}
    return {"repair price": prices.get(item.strip().lower(), "to be seen at the desk")}


ON_A_CALL = "You are on a video call: answer by voice, in one to three short sentences. "

repairs = Agent(
    name="repairs",
    model=speaking_as("Charon"),
    description="Knows repairs: looks at what is broken and tells the repair price.",
    instruction=ON_A_CALL + "You are the repair expert of a workshop. Look at what the caller "
    "shows, say what is broken, and use repair_price for prices. For anything else, transfer "
    "back to the front desk.",
    tools=[repair_price],
)

sales = Agent(
    name="sales",
    model=speaking_as("Puck"),
    description="Knows sales: compares and recommends things to buy.",
    instruction=ON_A_CALL + "You sell second-hand things. Look at what the caller shows and say "
    "what it is like. For anything else, transfer back to the front desk.",
)

root_agent = Agent(
    name="front_desk",
    model=speaking_as("Kore"),
    description="The front desk: greets, tells opening hours, hands over to repairs or sales.",
    instruction=ON_A_CALL + "You are the front desk of a workshop. Greet the caller and find out "
    "what they want. Transfer to repairs for anything broken, to sales for anything to buy.",
    tools=[open_hours],
    sub_agents=[repairs, sales],
)

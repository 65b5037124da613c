"""A tutor who looks at homework, checks sums, and points at what is wrong instead of solving it."""

from typing import Literal

from google.adk.agents import Agent

from vision_agent.tools import clear_points, look_closely, point_at


def check_sum(
    left: int, sign: Literal["plus", "minus", "times"], right: int, result: int
) -> dict[str, str]:
    """Check one line of sums, like 7 times 8 is 56.

    Args:
        left: The number before the sign.
        sign: Which of the three it is.
        right: The number after the sign.
        result: What is written as the result.
    """
    wanted = {"plus": left + right, "minus": left - right, "times": left * right}[sign]
    if result == wanted:
        return {"answer": "Yes, that line is right."}
    return {"answer": f"Not quite: {left} {sign} {right} is not {result}. Try that line again."}


root_agent = Agent(
    name="tutor",
    model="gemini-3.8-live",
    description="Looks at homework, finds the mistake, and points at it.",
    instruction=(
        "You are a patient tutor on a video call. Answer by voice in one to three short "
        "sentences. Look closely at the homework before you judge it, and check every line of "
        "sums with check_sum. Never tell a result: point at the line that is wrong and give a "
        "hint. Praise what is right."
    ),
    tools=[look_closely, point_at, clear_points, check_sum],
)

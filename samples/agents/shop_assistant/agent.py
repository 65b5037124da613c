"""A shop assistant: says what is held up, reads its label, and compares what the shop sells."""

from typing import Literal

from google.adk.agents import Agent

from vision_agent.tools import look_closely, point_at

Product = Literal["oat drink", "rice drink", "soy drink"]

SHELF: dict[Product, dict[str, float]] = {
    "oat drink": {"price_euros": 1.89, "litres": 1.0, "sugar_g_per_100_ml": 4.1},
    "rice drink": {"price_euros": 1.49, "litres": 1.0, "sugar_g_per_100_ml": 7.1},
    "soy drink": {"price_euros": 1.05, "litres": 0.5, "sugar_g_per_100_ml": 2.5},
}


def compare_products(first: Product, second: Product) -> dict[str, str]:
    """Compare two products of the shop: what a litre costs, and how much sugar is in them.

    Args:
        first: A product's name, as on its label.
        second: The other one's.
    """
    names = first, second
    per_litre = {name: SHELF[name]["price_euros"] / SHELF[name]["litres"] for name in names}
    sugar = {name: SHELF[name]["sugar_g_per_100_ml"] for name in names}
    cheap, sweet = min(names, key=per_litre.__getitem__), max(names, key=sugar.__getitem__)
    return {
        "answer": f"The {cheap} is cheaper, {per_litre[cheap]:.2f} euros a litre, and the {sweet} "
        f"has more sugar, {sugar[sweet]} grams in 100 millilitres."
    }


root_agent = Agent(
    name="shop_assistant",
    model="gemini-3.8-live",
    description="Says what a product is, reads its label, and compares products.",
    instruction=(
        "You are a shop assistant on a video call. Answer by voice in one to three short "
        "sentences. Say what the caller holds up. Look closely before you read a label, and read "
        "only what is there. Compare two products with compare_products, by the names on their "
        "labels. Asked for one of several things, point at it."
    ),
    tools=[look_closely, point_at, compare_products],
)

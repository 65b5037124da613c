"""Offline analysis of camera frames."""

from vision_agent.local.engine.sight.camera_frame import Box, UnreadableFrame
from vision_agent.local.engine.sight.features import Taught
from vision_agent.local.engine.sight.known import TaughtThing
from vision_agent.local.engine.sight.look import Sight
from vision_agent.local.engine.sight.observations import (
    Changes,
    Code,
    Colour,
    Count,
    Face,
    Known,
    Movement,
    Named,
    Observations,
    Quality,
    Spot,
    TextLine,
)

__all__ = [
    "Box",
    "Changes",
    "Code",
    "Colour",
    "Count",
    "Face",
    "Known",
    "Movement",
    "Named",
    "Observations",
    "Quality",
    "Sight",
    "Spot",
    "Taught",
    "TaughtThing",
    "TextLine",
    "UnreadableFrame",
]

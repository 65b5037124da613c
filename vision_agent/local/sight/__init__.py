"""What can be told about a picture, offline."""

from vision_agent.local.sight.look import Sight
from vision_agent.local.sight.observations import (
    Changes,
    Code,
    Colour,
    Face,
    Observations,
    Quality,
    TextLine,
)
from vision_agent.local.sight.picture import UnreadablePicture

__all__ = [
    "Changes",
    "Code",
    "Colour",
    "Face",
    "Observations",
    "Quality",
    "Sight",
    "TextLine",
    "UnreadablePicture",
]

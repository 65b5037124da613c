"""The people in a frame: those whom the detector finds, and faces that belong to none of them."""

from __future__ import annotations

from vision_agent.local.engine.answers.english import count
from vision_agent.local.engine.answers.named_things import believed, places
from vision_agent.local.engine.sight import Box, Named, Observations
from vision_agent.local.engine.sight.observations import SURE

FACE_SCORE = 0.9

AROUND = 0.1
"""Margin around a person's box, as a share of its sides, in which a face is that person's."""


def people(seen: Observations) -> list[Named]:
    """Everybody in view, once, from left to right."""
    found = [thing for thing in seen.named or () if thing.name == "person"]
    bodies = [thing.box for thing in believed(found)]
    for face in seen.faces or ():
        if face.box is None:
            continue
        owner = next((body for body in bodies if _holds(body, face.box)), None)
        if owner is None:
            found.append(Named("person", face.box, FACE_SCORE, SURE))
        else:
            bodies.remove(owner)  # each body has one face
    return believed(sorted(found, key=lambda one: one.box.x + one.box.width / 2))


def said(seen: Observations) -> str:
    """How many there are, and where: `I see two people, on the left and on the right`."""
    found = people(seen)
    if not found:
        return "I don't see anyone."
    where = places([one.box for one in found])
    comma = "," if len(found) > 1 else ""
    return f"I see {count(len(found), 'person')}{comma} {where}."


def _holds(body: Box, face: Box) -> bool:
    x, y = face.x + face.width / 2, face.y + face.height / 2
    across, down = AROUND * body.width, AROUND * body.height
    return (
        body.x - across <= x <= body.x + body.width + across
        and body.y - down <= y <= body.y + body.height + down
    )

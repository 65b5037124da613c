"""How well the local engine sees: counting, movement, taught things, and what each look costs.

Everything is compared with a known truth: drawn scenes, the film of the bottles, annotated by eye
(tests/local/engine/sight/sight_scenes.py), and labelled photographs of packages, if a folder has
their archives (benchmarks/sight_photographs.py). The seeds differ from those of the tests.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2

from benchmarks.sight_photographs import photographs
from tests.local.engine.sight.sight_frames import SHADES, Pixels, film, jpeg, shot
from tests.local.engine.sight.sight_scenes import (
    BOTTLES,
    MOVING_S,
    STILL_S,
    coloured_shape,
    held_up,
    moved,
    several,
    textured,
    wall,
)
from vision_agent.detection.face_detector import FaceDetector
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight.camera_frame import decode
from vision_agent.local.engine.sight.counting import count
from vision_agent.local.engine.sight.everyday import kind_of
from vision_agent.local.engine.sight.foreground import View
from vision_agent.local.engine.sight.known import Finder, TaughtThing
from vision_agent.local.engine.sight.movement import movement
from vision_agent.local.engine.sight.names import Names
from vision_agent.local.engine.sight.observations import LIKELY, PERHAPS, SURE, Named

OUT = Path(__file__).resolve().parents[1] / "out" / "sight.json"

RIGHT, WRONG, UNSURE = "right", "wrong", "unsure"

CONDITIONS: dict[str, list[dict[str, float]]] = {
    "as it was taught": [{}],
    "turned": [{"turn_deg": turn} for turn in (20, 60, 120, 180)],
    "nearer, further": [{"scale": scale} for scale in (0.5, 0.7, 1.4)],
    "other light": [{"light": light} for light in (0.5, 0.7, 1.3)],
    "all of it, tilted": [
        {"turn_deg": turn, "scale": scale, "light": light, "tilt": 0.06}
        for turn, scale, light in ((15, 0.7, 0.8), (40, 1.3, 0.8), (-30, 0.8, 1.2))
    ],
}


@dataclass
class Row:
    """One line of the table.

    Attributes:
        name: What was tried.
        results: How often it was right, wrong and unsure.
        cpu_ms: CPU time of each look, one thread.
    """

    name: str
    results: Counter[str] = field(default_factory=Counter)
    cpu_ms: list[float] = field(default_factory=list)

    def look(self, at: Callable[[], str]) -> None:
        """Tries once."""
        started = time.process_time()
        self.results[at()] += 1
        self.cpu_ms.append(1000 * (time.process_time() - started))


def counting(scenes: int) -> list[Row]:
    """Counting on drawn scenes, and on the film twice a second while no hand is near."""

    def judged(pixels: Pixels, number: int) -> Callable[[], str]:
        def judge() -> str:
            found = count(View.of(pixels))
            if found.busy or found.perhaps:
                return UNSURE
            return RIGHT if found.sure == number else WRONG

        return judge

    drawn, bottles = Row("count 1 to 9 like things, drawn"), Row("count the bottles of the film")
    for scene in range(scenes):
        number = 1 + scene % 9
        drawn.look(judged(several(number, 500 + scene), number))
    for start, end, number in BOTTLES:
        for pixels in film(list(np.arange(start, end + 0.1, 0.5))):
            bottles.look(judged(pixels, number))
    return [drawn, bottles]


def moving(scenes: int) -> list[Row]:
    """Movement and its direction: drawn scenes with a shaky hand, and the film once a second."""
    ways = {(120, 0): "to the right", (-120, 0): "to the left", (0, 90): "down", (0, -90): "up"}
    which_way, still, on_film = (
        Row("which way it moves, drawn"),
        Row("nothing moves, a shaky hand, drawn"),
        Row("whether and where it moves, film"),
    )
    for scene in range(scenes):
        way, words = list(ways.items())[scene % 4]
        frames = moved(way, 500 + scene, plain=scene % 3 == 0)

        def tell(frames: list[SeenFrame] = frames, words: str = words) -> str:
            found = movement(frames, decode(frames[-1].jpeg))
            if not found.moving or found.way not in ("", words):
                return WRONG
            return RIGHT if found.way else UNSURE

        which_way.look(tell)
        same = moved((0, 0), 900 + scene, plain=scene % 3 == 0)

        def tell_still(frames: list[SeenFrame] = same) -> str:
            return WRONG if movement(frames, decode(frames[-1].jpeg)).moving else RIGHT

        still.look(tell_still)
    frames = [SeenFrame(jpeg(p, 70), 1000 * s) for s, p in enumerate(film(list(range(40))))]
    for second in (*STILL_S, *MOVING_S):
        recent = frames[max(0, second - 3) : second + 1]

        def tell_film(frames: list[SeenFrame] = recent, second: int = second) -> str:
            found = movement(frames, decode(frames[-1].jpeg))
            where = MOVING_S.get(second)
            return RIGHT if found.moving == (where in found.where) else WRONG

        on_film.look(tell_film)
    return [which_way, still, on_film]


def taught_things(things: int) -> list[Row]:
    """Things with a pattern: recognised among all the others; unknown things are not."""
    finder = Finder()
    known = []
    for number in range(things):
        view = finder.learn(shot(held_up(textured(2000 + number), wall(number)), seed=number))
        if view is not None:
            known.append(TaughtThing(str(number), "my", (view,)))
    rows = []
    for name, conditions in CONDITIONS.items():
        row = Row(f"{things} taught things, {name}")
        for number in range(things):
            for index, condition in enumerate(conditions):
                scene = held_up(
                    textured(2000 + number),
                    wall(number + 70),
                    at=(340, 225),
                    turn_deg=condition.get("turn_deg", 0),
                    scale=condition.get("scale", 1),
                    tilt=condition.get("tilt", 0),
                    seed=number,
                )
                light = condition.get("light", 1.0)
                pixels = shot(scene, exposure=light, noise=4, seed=100 * index + number)
                row.look(lambda p=pixels, n=number: _told(finder, p, known, str(n)))
        rows.append(row)
    strangers = Row(f"a stranger among {things} taught things")
    for number in range(3 * things):
        scene = held_up(textured(5000 + number), wall(number), turn_deg=float(number))
        pixels = shot(scene, seed=number)
        strangers.look(lambda p=pixels: _told(finder, p, known, ""))
    for pixels in film([0.0, 6.0, 12.0, 17.0, 20.0, 24.0, 31.0, 36.0]):
        strangers.look(lambda p=pixels: _told(finder, p, known, ""))
    return [*rows, strangers]


def plain_things() -> list[Row]:
    """Things without any detail: only colour and shape are known, and no name is sure."""
    finder = Finder()
    colours = {name: SHADES[name][0] for name in ("red", "blue", "green", "yellow")}
    every = [(kind, colour) for kind in ("mug", "disc", "bar", "star") for colour in colours]

    def seen(kind: str, colour: str, at: int, **how: float) -> Pixels:
        thing, mask = coloured_shape(kind, colours[colour])
        light = how.pop("light", 1.0)
        scene = held_up(thing, wall(at), mask=mask, **how)  # type: ignore[arg-type]
        return shot(scene, exposure=light, seed=at)

    taught = []
    for kind, colour in every:
        view = finder.learn(seen(kind, colour, 3))
        if view is not None:
            taught.append(TaughtThing(f"{colour} {kind}", "my", (view,)))
    again, absent = Row("16 plain things, known again"), Row("a plain stranger among 15")
    for kind, colour in every:
        name = f"{colour} {kind}"
        for how in ({}, {"turn_deg": 20, "scale": 0.8}, {"light": 0.8}):
            pixels = seen(kind, colour, 9, **how)
            again.look(lambda p=pixels, n=name: _told(finder, p, taught, n))
        others = [thing for thing in taught if thing.name != name]
        pixels = seen(kind, colour, 9, turn_deg=10)
        absent.look(lambda p=pixels, o=others: _told(finder, p, o, ""))
    return [again, absent]


def names_of_bottles() -> Row:
    """The bottles of the film, counted by name at every second while no hand is near."""
    names, row = Names(), Row("name and count the bottles of the film")
    for start, end, number in BOTTLES:
        for pixels in film(list(np.arange(start, end + 0.1, 1.0))):

            def judge(pixels: Pixels = pixels, number: int = number) -> str:
                found = names.named([SeenFrame(jpeg(pixels, 70), 0)], pixels, ())
                sure = [t for t in found if t.certainty != PERHAPS and t.name == "bottle"]
                return RIGHT if len(sure) == number else WRONG

            row.look(judge)
    return row


def names_on_photographs(folder: Path) -> list[Row]:
    """Every name on the labelled photographs, by half and certainty; and "what is this?" of each.

    To name nothing is right where there is nothing to name.
    """
    names, faces = Names(), FaceDetector()
    rows = {
        (half, what): Row(f"photographs, half {half}: {what}")
        for half in (1, 2)
        for what in (SURE, LIKELY, PERHAPS, "what is this?")
    }
    for photograph, pixels in photographs(folder):
        truth = {kind_of(name) for name in photograph.names}
        found = names.named([SeenFrame(jpeg(pixels), 0)], pixels, faces.boxes(pixels))
        for thing in found:
            right = kind_of(thing.name) in truth
            rows[photograph.half, thing.certainty].look(lambda r=right: RIGHT if r else WRONG)

        def ask(pixels: Pixels = pixels, found: tuple[Named, ...] = found) -> str:
            shown = names.shown(pixels, found, None)
            if not shown.name:
                return UNSURE if truth else RIGHT  # noqa: B023
            return RIGHT if kind_of(shown.name) in truth else WRONG  # noqa: B023

        rows[photograph.half, "what is this?"].look(ask)
    return list(rows.values())


def _told(finder: Finder, pixels: Pixels, taught: list[TaughtThing], name: str) -> str:
    """Right: this name alone. Unsure: "I don't know this one". Wrong: another name."""
    found = finder.find(pixels, taught)
    if not found:
        return UNSURE if name else RIGHT
    return RIGHT if [known.name for known in found] == [name] else WRONG


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenes", type=int, default=72, help="drawn scenes a row [72]")
    parser.add_argument("--things", type=int, default=20, help="things that are taught [20]")
    parser.add_argument("--json", type=Path, default=OUT, help=f"all figures [{OUT}]")
    parser.add_argument("--photographs", type=Path, help="folder of archives with photographs")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in the engine
    rows = [
        *counting(options.scenes),
        names_of_bottles(),
        *(names_on_photographs(options.photographs) if options.photographs else ()),
        *moving(options.scenes),
        *taught_things(options.things),
        *plain_things(),
    ]
    table = Table("engine seeing", "tried", RIGHT, UNSURE, WRONG, "CPU ms: median", "p95")
    for row in rows:
        table.add_row(
            row.name,
            str(sum(row.results.values())),
            *(str(row.results[result]) for result in (RIGHT, UNSURE, WRONG)),
            f"{statistics.median(row.cpu_ms or [0]):.0f}",
            f"{np.percentile(row.cpu_ms or [0], 95):.0f}",
        )
    Console(width=110).print(table)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    figures = {row.name: {**row.results, "cpu_ms": row.cpu_ms} for row in rows}
    options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

"""Runs a Dockerfile's steps in clean Debian trees, where no Docker engine is at hand."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from dockerfile_parse import DockerfileParser

from tests.deploy import debian_tree
from tests.deploy.build_context import BuildContext


def settings_of(dockerfile: Path) -> dict[str, str]:
    """The last value of each instruction of a Dockerfile, by the instruction's name."""
    return {
        step["instruction"]: step["value"] for step in DockerfileParser(str(dockerfile)).structure
    }


@dataclass
class Image:
    """A stage: its tree, and what `docker run` would read of it.

    Attributes:
        root: The tree.
        environment: Its variables.
        folder: The working directory.
        settings: The last value of each further instruction, by name.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """What a container runs, as an argument list."""
        return [*json.loads(self.settings["ENTRYPOINT"]), *json.loads(self.settings["CMD"])]

    @property
    def health_check(self) -> list[str]:
        """The health check, as an argument list."""
        given: list[str] = json.loads(self.settings["HEALTHCHECK"].partition("CMD")[2])
        return given


class Build:
    """Builds an image from a checkout.

    Args:
        checkout: The folder with the Dockerfile.
        work: Where the trees are made.
    """

    def __init__(self, checkout: Path, work: Path) -> None:
        self._checkout, self._work = checkout, work
        self._context = BuildContext(checkout)
        self._arguments: dict[str, str] = {}
        self._stages: dict[str, Image] = {}
        self._stage: Image | None = None

    def image(self) -> Image:
        """Runs every step; returns the last stage."""
        parser = DockerfileParser(str(self._checkout / "Dockerfile"))
        for step in parser.structure:
            getattr(self, f"_{step['instruction'].lower()}", self._setting)(step)
        return self._current

    @property
    def _current(self) -> Image:
        assert self._stage is not None, "the Dockerfile does not begin with FROM"
        return self._stage

    def _comment(self, step: dict[str, Any]) -> None:
        pass

    def _arg(self, step: dict[str, Any]) -> None:
        name, given, value = step["value"].partition("=")
        if given:  # without a value, ARG brings an earlier argument into a stage
            self._arguments[name] = value

    def _from(self, step: dict[str, Any]) -> None:
        base, *named = Template(step["value"]).substitute(self._arguments).split()
        minor, suite = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-(\w+)", base).groups()
        pristine = self._work / suite
        if not pristine.exists():
            debian_tree.make(pristine, suite)
            assert f"Python {minor}." in debian_tree.run(pristine, ["python", "--version"])
        root = self._work / f"stage-{len(self._stages)}"
        # Hard links, except for what steps write to in place.
        subprocess.run(["cp", "-al", pristine, root], check=True)
        for written in ("etc", "var"):
            shutil.rmtree(root / written)
            subprocess.run(["cp", "-a", pristine / written, root], check=True)
        self._stage = Image(root)
        self._stages[named[1] if named else ""] = self._stage

    def _env(self, step: dict[str, Any]) -> None:
        environment = self._current.environment
        for pair in shlex.split(step["value"]):
            name, _, value = pair.partition("=")
            known = {"PATH": "/usr/local/bin:/usr/bin:/bin", **environment}
            environment[name] = Template(value).substitute(known)

    def _workdir(self, step: dict[str, Any]) -> None:
        self._current.folder = step["value"]
        self._inside(step["value"]).mkdir(parents=True, exist_ok=True)

    def _run(self, step: dict[str, Any]) -> None:
        stage = self._current
        shell = ["/bin/sh", "-c", step["value"]]
        debian_tree.run(stage.root, shell, stage.environment, stage.folder)

    def _copy(self, step: dict[str, Any]) -> None:
        words = Template(step["value"]).substitute(self._arguments).split()
        *sources, target = [word for word in words if not word.startswith("--")]
        flags = [word for word in words if word.startswith("--")]
        to = self._inside(target)
        if flags:
            (stage,) = (flag.removeprefix("--from=") for flag in flags)
            (source,) = sources
            # No other step needs the earlier stage, so its files are moved, not copied.
            to.parent.mkdir(parents=True, exist_ok=True)
            (self._stages[stage].root / source.lstrip("/")).rename(to)
            return
        for source in sources:
            files = list(self._context.files(source))
            assert files, f"COPY {source}: the build context has no such file"
            for file in files:
                below = file.name if file == Path(source) else file.relative_to(source)
                copied = to / below if target.endswith("/") or file != Path(source) else to
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._checkout / file, copied)

    def _setting(self, step: dict[str, Any]) -> None:
        known = ("USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD")
        assert step["instruction"] in known, f"the test does not know {step['instruction']}"
        self._current.settings[step["instruction"]] = step["value"]

    def _inside(self, path: str) -> Path:
        return self._current.root / Path(self._current.folder, path).relative_to("/")

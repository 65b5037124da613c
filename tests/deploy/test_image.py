"""The container image: its steps run in a clean Debian, and what they make takes a call."""

import asyncio
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy.build_context import BuildContext
from tests.deploy.container import Container
from tests.deploy.debian_tree import need_debian
from tests.deploy.image import Build
from tests.networks.in_namespace import run_inside
from tests.networks.islands import SERVER, islands, need_namespaces
from vision_agent import CallClient

CHECKOUT = Path(__file__).parent.parent.parent
EXTRAS = ("", "brain", "mcp", "otel", "postgres")
TOKEN = "for-the-test"


@pytest.mark.parametrize(
    ("file", "extras"),
    [("requirements.txt", EXTRAS), ("requirements-cluster.txt", (*EXTRAS, "cluster"))],
)
def test_an_image_has_a_version_of_everything_that_the_package_asks_for(file, extras):
    lines = (CHECKOUT / "deploy" / file).read_text().splitlines()
    locked = dict(line.split("==") for line in lines if not line.lstrip().startswith("#"))
    for text in requires("adk-video-call") or []:
        asked = Requirement(text)
        needed = any(
            asked.marker is None or asked.marker.evaluate({"extra": extra}) for extra in extras
        )
        # The headless build stands in its place.
        if needed and asked.name != "opencv-python":
            assert asked.specifier.contains(locked[asked.name]), text


def test_neither_secrets_nor_the_machines_own_files_are_sent_to_the_builder():
    context = BuildContext(CHECKOUT)
    for sent in ("web/page.js", "vision_agent/__init__.py", "deploy/requirements-cluster.txt"):
        assert Path(sent) in set(context.files(sent)), sent
    for kept in (
        ".env",
        ".git/config",
        ".venv/bin/python",
        "deploy/compose.env",
        "a/__pycache__/b",
    ):
        assert context.excludes(Path(kept)), kept


async def call() -> str:
    async with CallClient(f"http://{SERVER}:7860", token=TOKEN, timeout_s=90) as client:
        return (await client.type("What can you do?")).text


@pytest.mark.timeout(1200)
async def test_the_image_takes_a_call_as_its_user_on_a_read_only_root(tmp_path):
    need_debian()
    need_namespaces()
    image = await asyncio.to_thread(Build(CHECKOUT, tmp_path).image)
    assert "0.0.0.0" in image.environment["VISION_AGENT_HOST"]
    assert image.settings["EXPOSE"].split() == ["7860/tcp", "7861/udp"]
    with islands() as net:
        net.forward()
        container = Container(image, net.server, tmp_path, {"VISION_AGENT_TOKEN": TOKEN})
        async with container.running() as process:
            async with asyncio.timeout(120):
                while not await container.is_healthy():
                    assert process.returncode is None, container.log.read_text()
                    await asyncio.sleep(2)
            assert "works offline" in await run_inside(net.caller, call)
            kept = {path.name: path.stat() for path in container.data.iterdir()}
            assert {name.partition(".db")[0] for name in kept} == {"sessions", "memory"}
            assert {(found.st_uid, found.st_mode & 0o777) for found in kept.values()} == {
                (10001, 0o600)
            }
            assert await container.stop(process) == 0
    log = container.log.read_text()
    for complaint in ("Traceback", "Read-only", "WARNING", "ERROR"):
        assert complaint not in log, log

"""compose.yaml, as Docker Compose itself reads it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.networks.calling import SCENARIO, call
from tests.networks.coturn import PORT
from tests.networks.in_namespace import run_inside
from tests.networks.islands import MIDDLE, SERVER, islands
from tests.support.waiting import until

CHECKOUT = Path(__file__).parent.parent.parent
COMPOSE = Path(sys.executable).with_name("docker-compose")


def resolved(folder: Path, values: str) -> subprocess.CompletedProcess[str]:
    """What `docker compose config` makes of the file in a folder, with these values."""
    for name in ("compose.yaml", "Dockerfile"):
        shutil.copy(CHECKOUT / name, folder)
    (folder / "deploy").mkdir(exist_ok=True)
    (folder / "deploy/compose.env").write_text(values)
    return subprocess.run(
        [COMPOSE, "--env-file", "deploy/compose.env", "config", "--format", "json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def example() -> str:
    """The example of the values, filled in."""
    text = (CHECKOUT / "deploy/compose.env.example").read_text()
    return text.replace("=\n", "=secret-for-this-value\n")


def test_every_service_is_hardened_checked_and_told_its_own_secrets_only(tmp_path):
    done = resolved(tmp_path, example())
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert services.keys() == {"agent", "coturn", "postgres"}
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["tmpfs"], name
        # The agent's health check is in its image.
        assert "healthcheck" in service or name == "agent"
        assert ":" in service["image"], name
    assert {"TURN_SECRET"} == services["coturn"]["environment"].keys()
    assert "VISION_AGENT_TOKEN" not in services["postgres"]["environment"]
    # A relay reaches no database.
    assert not services["coturn"]["networks"].keys() & services["postgres"]["networks"].keys()
    published = {
        (port["target"], port["protocol"], port.get("host_ip"))
        for port in services["agent"]["ports"]
    }
    assert published == {(7860, "tcp", "127.0.0.1"), (7861, "udp", None)}


def test_without_a_secret_nothing_starts_and_its_name_is_said(tmp_path):
    for name in ("POSTGRES_PASSWORD", "TURN_SECRET", "VISION_AGENT_TOKEN", "PUBLIC_IP"):
        lines = example().splitlines(keepends=True)
        done = resolved(tmp_path, "".join(line for line in lines if not line.startswith(name)))
        assert done.returncode != 0
        assert name in done.stderr


async def test_a_call_without_a_direct_path_goes_through_its_turn_server(tmp_path, monkeypatch):
    # In place of the agent's container, a server in a network that only coturn reaches.
    values = example().replace("203.0.113.5", MIDDLE).replace("TURN_SECRET=", "TURN_SECRET=north-")
    coturn = json.loads(resolved(tmp_path, values).stdout)["services"]["coturn"]
    command = [part.replace("$$", "$") for part in [*coturn["entrypoint"], *coturn["command"]]]
    command = [part.replace("172.30.78.10", SERVER) for part in command]
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    secret = coturn["environment"]["TURN_SECRET"]
    monkeypatch.setenv("VISION_AGENT_TURN_SECRET", secret)
    monkeypatch.setenv("VISION_AGENT_ALLOWED_HOSTS", MIDDLE)
    with islands() as net:
        relay = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", net.between, "unshare", "--mount"),
            *("sh", "-ec", 'mount -t tmpfs tmpfs /tmp; exec "$@"', "sh", *command),
            env={**os.environ, **coturn["environment"]},
            stdout=asyncio.subprocess.DEVNULL,
        )
        asked = coturn["healthcheck"]
        check = [
            "ip",
            "netns",
            "exec",
            net.between,
            "timeout",
            asked["timeout"],
            *asked["test"][1:],
        ]

        async def healthy() -> bool:
            asking = await asyncio.create_subprocess_exec(*check, stdout=asyncio.subprocess.DEVNULL)
            return await asking.wait() == 0

        try:
            await until(healthy, 20, "coturn's health check to pass")
            shown = Path(f"/proc/{relay.pid}/cmdline").read_bytes()
            assert b"turnserver" in shown
            assert secret.encode() not in shown
            arguments = ("--scenario", str(scenario), "--turn", f"turn:{MIDDLE}:{PORT}")
            async with net.server_process(*arguments, log=tmp_path / "server.log"):
                assert await run_inside(net.caller, call) == "Good morning."
        finally:
            relay.kill()
            await relay.wait()

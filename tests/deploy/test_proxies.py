"""A call through nginx and one through Caddy, as deploy/ shows them, to a server under a prefix."""

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.conftest import serving
from tests.support.waiting import until
from vision_agent import CallClient

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
SCENARIO = "engine: false\notherwise: {say: Good morning.}"


def sample(name: str, **replaced: str) -> str:
    """A sample configuration with values replaced, each of which it must have."""
    text = (DEPLOY / name).read_text()
    for old, new in replaced.items():
        assert old in text, f"deploy/{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.asynccontextmanager
async def running(*command: str, port: int, **environment: str) -> AsyncIterator[None]:
    """Runs a proxy, once it serves TLS."""
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip(f"{command[0]} is not installed.")
    process = await asyncio.create_subprocess_exec(
        program,
        *command[1:],
        stdin=asyncio.subprocess.DEVNULL,
        env={**os.environ, **environment},
    )

    def serves() -> bool:
        assert process.returncode is None, "the proxy has ended; it said why on standard error"
        with contextlib.suppress(OSError):
            return bool(ssl.get_server_certificate(("localhost", port), timeout=5))
        return False

    try:
        await until(serves, 30, f"{command[0]} to serve TLS")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def nginx(folder: Path, server: str) -> AsyncIterator[tuple[str, Path]]:
    """nginx in front of a server; yields its address, and the certificate to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
    port, plain = free_port(), free_port()
    site = sample(
        "nginx.conf",
        **{
            "agent.example;": "localhost;",
            "/etc/ssl/agent.example.pem": f"{folder}/own.pem",
            "/etc/ssl/agent.example.key": f"{folder}/own.pem",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "127.0.0.1:7860": server,
        },
    )
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{site} }}"
    )
    folder.chmod(0o755)
    command = ("nginx", "-e", "stderr", "-p", str(folder), "-c", str(configuration))
    async with running(*command, port=port):
        moved = await asyncio.to_thread(location, f"http://127.0.0.1:{plain}/agent/")
        assert moved == "https://127.0.0.1/agent/"
        yield f"https://localhost:{port}/agent", folder / "ca.pem"


@contextlib.asynccontextmanager
async def caddy(folder: Path, server: str) -> AsyncIterator[tuple[str, Path]]:
    """Caddy in front of a server, with a certificate of its own making."""
    port = free_port()
    site = sample(
        "Caddyfile", **{"\nagent.example {": f"\nlocalhost:{port} {{", "127.0.0.1:7860": server}
    )
    options = "{\nadmin off\nskip_install_trust\nauto_https disable_redirects\n}\n"
    configuration = folder / "Caddyfile"
    configuration.write_text(options + site)
    command = ("caddy", "run", "--adapter", "caddyfile", "--config", str(configuration))
    kept = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    async with running(*command, port=port, **kept):
        yield f"https://localhost:{port}/agent", folder / "caddy/pki/authorities/local/root.crt"


def location(url: str) -> str | None:
    """Where a response redirects to; it is not followed."""

    class Unfollowed(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as moved:
        urllib.request.build_opener(Unfollowed).open(url)
    return moved.value.headers["Location"]


@pytest.mark.parametrize("proxy", [nginx, caddy])
async def test_a_call_goes_through_the_sample_for_a_proxy(proxy, tmp_path, monkeypatch):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    monkeypatch.setenv("VISION_AGENT_ROOT_PATH", "/agent")
    monkeypatch.setenv("VISION_AGENT_TRUSTED_PROXIES", "127.0.0.1")
    async with (
        serving("--scenario", str(scenario)) as server,
        proxy(tmp_path, server.url.removeprefix("http://").strip("/")) as (url, authority),
    ):
        trusting = ssl.create_default_context(cafile=authority)
        page = await asyncio.to_thread(urllib.request.urlopen, f"{url}/", context=trusting)
        assert b"page.js" in page.read()
        for path in ("/metrics", "//metrics", "/%6detrics", "/x/../metrics", "/x/metrics"):
            hidden = urllib.request.Request(url + path, headers={"X-Forwarded-Prefix": "/agent/x"})
            with pytest.raises(urllib.error.HTTPError, match="404"):
                await asyncio.to_thread(urllib.request.urlopen, hidden, context=trusting)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        async with CallClient(url, timeout_s=30) as client:
            assert (await client.type("hello")).text == "Good morning."

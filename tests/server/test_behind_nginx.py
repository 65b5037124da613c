"""The agent in an application behind nginx, which passes its prefix on or strips it."""

import asyncio
import shutil
import socket
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from tests.support.dialling import Dialled
from tests.support.messages import said
from tests.support.offers import offer
from tests.support.scenarios import TONES
from tests.support.serving_here import serving_here
from tests.support.waiting import until
from vision_agent import Settings, VideoAgent

HEADERS = """
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
"""

SITE = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off; {temporary}
  server {{
    listen 127.0.0.1:{port};
    location /agent/ {{ proxy_pass http://{upstream}; {headers} }}
    location /shop/ {{
      proxy_pass http://{upstream}/;
      proxy_set_header X-Forwarded-Prefix /shop;
      {headers}
    }}
  }}
}}
"""


@asynccontextmanager
async def nginx(folder: Path, upstream: str) -> AsyncIterator[str]:
    """The address of nginx in front of an application."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: nginx-light).")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        SITE.format(
            folder=folder, temporary=temporary, port=port, upstream=upstream, headers=HEADERS
        )
    )
    folder.chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        program, "-e", "stderr", "-p", str(folder), "-c", str(configuration)
    )

    def serves() -> bool:
        assert process.returncode is None, "nginx has ended; it said why on standard error"
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    try:
        await until(serves, what="nginx to listen")
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_page_call_and_whip_work_where_the_prefix_is_passed_on_and_where_it_is_taken_away(
    tmp_path,
):
    video = VideoAgent(
        Settings(_env_file=None, scenario=TONES, session_db="memory", trusted_proxies=["127.0.0.1"])
    )
    app = FastAPI(lifespan=video.lifespan)
    app.include_router(video.router, prefix="/agent")
    async with (
        app.router.lifespan_context(app),
        serving_here(app) as server,
        nginx(tmp_path, urlsplit(server).netloc) as proxy,
    ):
        for prefix in ("/agent", "/shop/agent"):
            url = proxy + prefix
            page = await asyncio.to_thread(urllib.request.urlopen, f"{url}/")
            assert b"page.js" in page.read()
            caller = Dialled(url)
            await caller.connect()
            caller.send("send-text", {"content": "hello"})
            await caller.wait_for(lambda m: bool(said(m)))
            await caller.hang_up()
            peer, body = await offer()
            try:
                whip = urllib.request.Request(
                    f"{url}/whip", body["sdp"].encode(), {"Content-Type": "application/sdp"}
                )
                begun = await asyncio.to_thread(urllib.request.urlopen, whip)
                session = begun.headers["Location"]
                assert session.startswith(f"{prefix}/whip/sessions/")
                goodbye = urllib.request.Request(proxy + session, method="DELETE")
                assert (await asyncio.to_thread(urllib.request.urlopen, goodbye)).status == 200
            finally:
                await peer.close()

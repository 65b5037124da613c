"""`vision-agent doctor`: each finding, with real sockets, and the whole."""

import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aioice import stun

from tests.support.forked import start_forked
from vision_agent import Settings
from vision_agent.doctor.finding import Finding
from vision_agent.doctor.ice_checks import check_ice
from vision_agent.doctor.model_checks import check_key, check_model, check_prices, check_service
from vision_agent.doctor.network_checks import (
    check_access,
    check_port,
    check_secure_context,
)
from vision_agent.doctor.run import Check, in_thread, run_checks
from vision_agent.ice_servers import IceServers
from vision_agent.terminal import CannotPrint

KEY = "AIza" + "x" * 35


def settings(**given) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.mark.parametrize(
    ("environ", "status", "words"),
    [
        ({}, "note", "local Live API answers"),
        ({"GOOGLE_API_KEY": KEY}, "ok", "looks like a key"),
        ({"GEMINI_API_KEY": f"{KEY}\n"}, "warning", "spaces"),
        ({"GOOGLE_API_KEY": f'"{KEY}"'}, "warning", "quotation mark"),
        ({"GOOGLE_API_KEY": "sk-1234"}, "warning", "not look like"),
        ({"GOOGLE_API_KEY": KEY, "GEMINI_API_KEY": KEY + "y"}, "warning", "differ"),
    ],
)
def test_a_key_is_looked_at_and_never_shown(environ, status, words) -> None:
    (finding,) = check_key(environ)
    assert finding.status == status
    assert words in finding.text
    assert not any(key.strip('"\n') in finding.text + finding.advice for key in environ.values())


def test_a_model_that_can_not_be_called_is_a_problem_with_what_to_do() -> None:
    vertex_only = settings(model="gemini-live-2.5-flash-native-audio")
    (finding,) = check_model(vertex_only, {"GOOGLE_API_KEY": KEY})
    assert (finding.status, "served by Vertex AI" in finding.text) == ("problem", True)
    assert "vision-agent models" in finding.advice
    (finding,) = check_model(settings(model="gemini-4-omni"), {"GOOGLE_API_KEY": KEY})
    assert (finding.status, "is tried as it is" in finding.text) == ("warning", True)
    (finding,) = check_model(settings(modalities=["TEXT"]), {})
    assert (finding.status, "no voice" in finding.text) == ("note", True)


@contextlib.contextmanager
def service(status: int, body: dict) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def ask_service(status: int, body: dict) -> Finding:
    with service(status, body) as url:
        environ = {"GOOGLE_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url}
        (finding,) = await check_service(Settings(), environ)
    return finding


def test_a_table_of_prices_that_can_not_be_used_is_a_problem(tmp_path) -> None:
    (finding,) = check_prices(None)
    assert (finding.status, "USD" in finding.text) == ("ok", True)
    (file := tmp_path / "prices.toml").write_text("currency = 5")
    (finding,) = check_prices(file)
    assert (finding.status, "price is missing" in finding.text) == ("problem", True)


async def test_a_wrong_key_is_explained_and_a_right_one_is_taken() -> None:
    said = {"error": {"code": 400, "message": f"API key {KEY} not valid.", "status": "INVALID"}}
    refused = await ask_service(400, said)
    assert refused.status == "problem"
    assert "not valid" in refused.text
    assert KEY not in refused.text
    assert "aistudio" in refused.advice
    taken = await ask_service(200, {"models": [{"name": "models/gemini-3.8-live"}]})
    assert (taken.status, "takes the key" in taken.text) == ("ok", True)


async def test_without_a_network_a_key_is_a_problem_and_no_key_is_none() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = {"GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        (without,) = await check_service(Settings(), nobody)
        (with_key,) = await check_service(Settings(), nobody | {"GOOGLE_API_KEY": KEY})
    assert (without.status, with_key.status) == ("note", "problem")


class Relay(asyncio.DatagramProtocol):
    """Answers STUN bindings, and refuses every allocation as TURN servers do."""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        asked = stun.parse_message(data)
        binding = asked.message_method == stun.Method.BINDING
        answer = stun.Message(
            message_method=asked.message_method,
            message_class=stun.Class.RESPONSE if binding else stun.Class.ERROR,
            transaction_id=asked.transaction_id,
        )
        if binding:
            answer.attributes["XOR-MAPPED-ADDRESS"] = addr
        else:
            answer.attributes["ERROR-CODE"] = (403, "Forbidden")
        self.transport.sendto(bytes(answer), addr)


@contextlib.asynccontextmanager
async def relay() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Relay, local_addr=("127.0.0.1", 0))
    try:
        yield "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


async def test_stun_and_turn_servers_are_asked_and_what_is_wrong_is_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with relay() as address:
            silence = f"127.0.0.1:{silent.getsockname()[1]}"
            found = await check_ice(
                IceServers(
                    fixed=(
                        {"urls": f"stun:{address}"},
                        {"urls": f"stun:{silence}"},
                        {"urls": f"turn:{address}", "username": "u", "credential": "c"},
                    ),
                    turn=(f"turn:{address}?transport=udp", f"turn:{silence}?transport=tcp"),
                    secret="s3cret",
                    lifetime_s=60,
                )
            )
    assert [f.status for f in found] == ["ok", "warning", *["problem"] * 3, "note"]
    texts = [f"{f.text} {f.advice}" for f in found]
    assert "sees us as 127.0.0.1" in texts[0]
    assert "does not answer" in texts[1]
    assert "waits about 5 s" in texts[1]
    assert "403 Forbidden" in texts[2]
    assert "username" in texts[2]
    assert "static-auth-secret" in texts[3]
    assert "does not answer" in texts[4]
    assert "only the first" in texts[5]
    assert not any("s3cret" in text for text in texts)


def test_a_port_that_is_taken_is_a_problem() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (finding,) = check_port("127.0.0.1", other.getsockname()[1])
    assert (finding.status, "--port" in finding.advice) == ("problem", True)
    assert check_port("127.0.0.1", 0)[0].status == "ok"


@pytest.mark.parametrize(
    ("host", "has_token", "environ", "status", "words"),
    [
        ("127.0.0.1", False, {"GOOGLE_API_KEY": KEY}, "ok", "Only this machine"),
        ("0.0.0.0", True, {"GOOGLE_API_KEY": KEY}, "ok", "access token"),
        ("0.0.0.0", False, {}, "warning", "may call the agent."),
        ("::", False, {"GOOGLE_API_KEY": KEY}, "warning", "charges your key"),
    ],
)
def test_a_server_that_is_open_to_everybody_is_a_warning(
    host, has_token, environ, status, words
) -> None:
    (finding,) = check_access(host, has_token=has_token, environ=environ)
    assert finding.status == status
    assert words in finding.text
    assert ("VISION_AGENT_TOKEN" in finding.advice) == (status == "warning")


def test_other_machines_need_https_for_a_camera() -> None:
    assert check_secure_context("localhost")[0].status == "ok"
    assert "certificate" in check_secure_context("0.0.0.0")[0].advice


async def test_a_check_that_hangs_or_breaks_does_not_hold_up_the_others() -> None:
    async def good() -> list[Finding]:
        return [Finding("good", "ok", "fine")]

    async def bad() -> list[Finding]:
        raise KeyError("x")

    release = threading.Event()
    hanging = Check("hangs", lambda: in_thread(lambda: release.wait(60) and []), deadline_s=0.2)
    shown: list[str] = []
    found = await run_checks(
        [hanging, Check("bad", bad), Check("good", good)], lambda f: shown.append(f.check)
    )
    release.set()
    assert [(f.check, f.status) for f in found] == [
        ("hangs", "problem"),
        ("bad", "problem"),
        ("good", "ok"),
    ]
    assert "KeyError" in found[1].text
    assert shown[-1] == "hangs"


async def test_no_check_goes_on_when_a_finding_cannot_be_shown() -> None:
    async def good() -> list[Finding]:
        return [Finding("good", "ok", "fine")]

    async def slow() -> list[Finding]:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return []

    def show(finding: Finding) -> None:
        raise CannotPrint("no")

    ended = asyncio.Event()
    with pytest.raises(ExceptionGroup) as shown:
        await run_checks([Check("slow", slow), Check("good", good)], show)
    assert shown.group_contains(CannotPrint)
    assert ended.is_set()


async def run_doctor(*arguments: str, **environment: str) -> tuple[int, str]:
    process = await start_forked(
        *(sys.executable, "-m", "vision_agent", "doctor", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )
    async with asyncio.timeout(150):
        printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


async def test_the_command_finds_that_calls_work_here_and_that_a_wrong_voice_does_not() -> None:
    began = time.monotonic()
    status, printed = await run_doctor("--json", "--port", "0")
    found = {finding["check"]: finding for finding in json.loads(printed)}
    assert status == 0, printed
    assert len(found) == 19
    assert "answers in" in found["local engine"]["text"]
    assert "Opus" in found["codecs"]["text"]
    assert time.monotonic() - began < 150
    status, printed = await run_doctor("--port", "0", "--voice", "Korre")
    assert status == 1
    assert "Nearest: Kore" in printed
    assert "Problems: 1." in printed

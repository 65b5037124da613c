"""Access: by pages of other sites, by a token, and what is open without one."""

import re

import pytest
from pydantic import ValidationError

from tests.server.ingress.application import TOKEN, application
from vision_agent import Settings

EVERYTHING = [
    ("GET", "/"),
    ("GET", "/page.js"),
    ("GET", "/call/call.js"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/api/info"),
    ("POST", "/start"),
    ("POST", "/api/offer"),
    ("PATCH", "/api/offer"),
    ("DELETE", "/api/offer/x"),
    ("GET", "/no/such"),
]


async def test_a_page_under_a_foreign_name_gets_nothing():
    async with application() as client, client() as http:
        http.headers = {"Host": "evil.example", "Origin": "http://evil.example"}
        for method, path in EVERYTHING:
            response = await http.request(method, path)
            assert response.status_code == 421, path
            assert "VISION_AGENT_ALLOWED_HOSTS" in response.json()["error"]


async def test_a_page_of_another_site_gets_nothing():
    async with application() as client, client() as http:
        http.headers = {"Origin": "https://evil.example"}
        for method, path in EVERYTHING:
            response = await http.request(method, path)
            assert response.status_code == 403, path
            assert "VISION_AGENT_CORS_ORIGINS" in response.json()["error"]
            assert "access-control-allow-origin" not in response.headers


async def test_names_that_are_allowed_are_served():
    async with application(allowed_hosts="agent.example") as client, client() as http:
        for host, status in (("agent.example", 200), ("evil.example", 421)):
            response = await http.get("/api/info", headers={"Host": host})
            assert response.status_code == status


async def test_a_site_that_may_call_may_send_headers_of_its_own():
    async with application(cors_origins="https://shop.example") as client, client() as http:
        origin = {"Origin": "https://shop.example"}
        asked = {
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, x-request-id, traceparent",
        }
        preflight = await http.options("/api/offer", headers=origin | asked)
        assert preflight.status_code == 200
        allowed = preflight.headers["access-control-allow-headers"]
        assert {"x-request-id", "traceparent"} <= set(allowed.replace(" ", "").split(","))
        info = await http.get("/api/info", headers=origin)
        assert info.headers["access-control-allow-origin"] == "https://shop.example"
        assert (await http.post("/start", headers=origin)).status_code == 200
        other = await http.options("/api/offer", headers={"Origin": "https://evil.example"} | asked)
        assert other.status_code == 403


async def test_every_response_tells_browsers_what_the_page_may_do():
    async with application() as client, client() as http:
        for method, path in EVERYTHING:
            headers = (await http.request(method, path)).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] == "no-referrer"
            assert "camera=(self), microphone=(self)" in headers["permissions-policy"]
            assert headers["content-security-policy"].endswith("frame-ancestors 'none'")
            assert headers["x-frame-options"] == "DENY"


async def test_sites_that_may_show_the_page_in_a_frame_are_an_option():
    async with (
        application(frame_ancestors="https://shop.example,https://b.example") as client,
        client() as http,
    ):
        headers = (await http.get("/")).headers
        assert headers["content-security-policy"].endswith(
            "frame-ancestors https://shop.example https://b.example"
        )
        assert "x-frame-options" not in headers


@pytest.mark.parametrize(
    ("option", "path"),
    [("metrics", "/metrics"), ("health", "/healthz"), ("api_description", "/openapi.json")],
)
async def test_metrics_health_and_the_description_of_the_api_can_be_closed(option, path):
    async with application(token="s3cret") as client, client() as http:
        assert (await http.get(path)).status_code == 200
    async with application(token="s3cret", **{option: "token"}) as client, client() as http:
        assert (await http.get(path)).status_code == 401
        assert (await http.get(path, headers=TOKEN)).status_code == 200
    async with application(**{option: "off"}) as client, client() as http:
        assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize("option", ["metrics", "health", "api_description"])
def test_a_token_can_only_be_asked_for_where_there_is_one(option):
    with pytest.raises(ValidationError, match="no token to ask for"):
        Settings(_env_file=None, **{option: "token"})


async def test_credentials_of_turn_servers_are_for_who_may_call():
    servers = '[{"urls": "turn:turn.example", "username": "u", "credential": "c0nfidential"}]'
    async with application(token="s3cret", ice_servers=servers) as client, client() as http:
        for method, path in EVERYTHING:
            assert "c0nfidential" not in (await http.request(method, path)).text
        info = (await http.get("/api/info", headers=TOKEN)).json()
        (server,) = info["ice_servers"]
        assert server == {
            "urls": "turn:turn.example",
            "username": "u",
            "credential": "c0nfidential",
        }
        start = (await http.post("/start", headers=TOKEN)).json()
        assert start["iceConfig"]["iceServers"] == [server]


async def test_every_caller_gets_turn_credentials_of_their_own_and_nobody_the_secret():
    turn = {"turn": "turn:turn.example", "turn_secret": "c0nfidential"}
    async with application(token="s3cret", **turn) as client, client() as http:
        for method, path in EVERYTHING:
            assert "turn.example" not in (await http.request(method, path)).text
        texts = [(await http.get("/api/info", headers=TOKEN)).text for _ in range(2)]
        texts.append((await http.post("/start", headers=TOKEN)).text)
        assert "c0nfidential" not in "".join(texts)
        found = [re.search(r'"username":"(\d+:\w+)"', text).group(1) for text in texts]
        assert len(set(found)) == 3

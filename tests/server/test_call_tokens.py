"""Tokens for single users: signed, bounded, counted, and never a substitute for the secret."""

import asyncio
import hashlib
import os
import signal
import time

import httpx
import jwt
import pytest
import pytest_asyncio

from tests.conftest import serving
from tests.support.offers import offer
from tests.support.scenarios import SILENT
from vision_agent import Settings, create_app
from vision_agent.live.sessions.database import Database
from vision_agent.live.sessions.shared_counts import SharedCounts
from vision_agent.server.call_tokens import AUDIENCE, ISSUER, BadToken, CallTokens, Grant
from vision_agent.server.token_uses import TokenUses

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = {"Authorization": "Bearer s3cret"}
TOKENS = CallTokens("s3cret", continues_s=60)
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "iat": 100, "exp": 200, "jti": "1", "uses": 1}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed(claims: dict, key: bytes | None = TOKENS._key, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm)


async def test_what_a_token_allows_is_read_in_every_process_with_the_same_secret():
    grant = Grant(200, 3, "ann@example.com", "shop", {"voice": "Kore"})
    assert CallTokens("s3cret", continues_s=0).read(TOKENS.give(grant, 100), 150) == grant
    assert TOKENS.read(TOKENS.give(Grant(200), 100), 150).user_id == ""
    # A token is valid even if the clock of the process that issued it is ahead.
    given = Grant(4_000_000_600)
    assert TOKENS.read(TOKENS.give(given, 4_000_000_000), 3_999_999_990) == given


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (signed(CLAIMS, b"another key" * 4), "signature is not this server's"),
        (signed(CLAIMS, hashlib.sha256(b"s3cret").digest()), "signature is not this server's"),
        (signed(CLAIMS, None, "none"), "not signed with HS256"),
        (signed(CLAIMS, algorithm="HS512"), "not signed with HS256"),
        (signed(CLAIMS | {"aud": "another"}), "meant for another service"),
        (signed({k: v for k, v in CLAIMS.items() if k != "aud"}), "not a token"),
        (signed(CLAIMS | {"iss": "another"}), "given by another service"),
        (signed(CLAIMS | {"exp": 99, "iat": 50}), "has expired"),
        (signed(CLAIMS | {"exp": "soon"}), "not a token"),
        (signed({k: v for k, v in CLAIMS.items() if k != "jti"}), "not a token"),
        (signed({k: v for k, v in CLAIMS.items() if k != "exp"}), "not a token"),
        (signed(CLAIMS | {"options": [1]}), "not a token"),
        (signed(CLAIMS | {"sub": "x" * 4_000}), "too long"),
        ("a.b.c", "not a token"),
        ("..", "not a token"),
    ],
)
async def test_what_this_server_has_not_given_is_refused_in_words(token, why):
    with pytest.raises(BadToken, match=why):
        TOKENS.read(token, 160)


async def test_a_token_that_was_changed_is_refused():
    head, body, signature = signed(CLAIMS).split(".")
    other = signed(CLAIMS | {"sub": "bob"}).split(".")[1]
    for token in (f"{head}.{other}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA"):
        with pytest.raises(BadToken, match="signature is not this server's"):
            TOKENS.read(token, 160)


async def test_uses_are_counted_until_the_token_expires_and_none_is_forgotten_early(monkeypatch):
    uses, twice, once = TokenUses(continues_s=10), Grant(200, 2), Grant(300)
    for _ in range(2):
        assert await uses.take(twice, 100) is None
    assert "may be used 2 times, and has been" in await uses.take(twice, 199)
    assert "expired" in await uses.take(twice, 200)
    monkeypatch.setattr("vision_agent.server.token_uses.MAX_TOKENS", 1)
    with pytest.raises(Exception, match="Too many tokens") as full:
        await uses.take(once, 209)
    assert full.value.status == 503
    assert await uses.take(once, 210) is None
    await uses.give_back(once)
    assert not await uses.begun(once)
    assert await uses.take(once, 210) is None


async def test_uses_that_the_database_does_not_take_are_counted_here_and_there_later(
    tmp_path, monkeypatch
):
    url = f"sqlite:///{tmp_path}/sessions.db"
    database = Database(url, app_name="tests")
    await database.open()
    await database.close()
    counts = SharedCounts(url, lambda: 100)
    here, there = TokenUses(10, counts), TokenUses(10, counts)
    grant, once = Grant(200, 4), Grant(200)
    with monkeypatch.context() as patch:
        for name in ("use_token", "give_back", "has_used"):
            patch.setattr(counts, name, lambda *_, **__: asyncio.sleep(0, None))
        for _ in range(3):
            assert await here.take(grant, 100) is None
        await here.give_back(grant)
        assert await here.take(once, 100) is None
        assert "has been" in await here.take(once, 100)
        assert await here.begun(grant)
        assert not await there.begun(grant)
    assert await there.take(grant, 100) is None
    assert await here.take(grant, 100) is None  # and the two from before
    for each in (here, there):
        assert "has been" in await each.take(grant, 100)
    await there.give_back(grant)
    said = await asyncio.gather(*(here.take(grant, 100) for _ in range(3)))
    assert said.count(None) == 1
    assert await there.begun(grant)
    monkeypatch.setattr("vision_agent.server.token_uses.MAX_TOKENS", 0)
    assert await there.take(Grant(200), 100) is None  # the database has room
    await counts.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http():
    settings = Settings(
        _env_file=None, token="s3cret", scenario=SILENT, session_db="memory", metrics="token"
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def body():
    peer, body = await offer()
    yield body
    await peer.close()


async def given(http, **asked) -> str:
    response = await http.post("/api/tokens", json=asked, headers=SECRET)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["expires_at"] == pytest.approx(time.time() + 600, abs=5)
    return response.json()["token"]


async def hang_up(http, answer: dict, token: str) -> None:
    done = await http.delete(f"/api/offer/{answer['pc_id']}", headers=bearer(token))
    assert done.status_code == 204


async def test_a_call_belongs_to_the_tokens_user_and_a_replay_begins_none(http, body):
    token = await given(http, user="ann")
    claim = {"requestData": {"user": "bob", "options": {}}}
    answer = (await http.post("/api/offer", json=body | claim, headers=bearer(token))).json()
    assert answer["resume"].endswith(".ann")
    replay = await http.post("/api/offer", json=body, headers=bearer(token))
    assert replay.status_code == 401
    assert "may be used once, and has been" in replay.json()["error"]
    # A used token still reaches the call that it began.
    again = body | {"pc_id": answer["pc_id"], "restart_pc": True}
    assert (await http.post("/api/offer", json=again, headers=bearer(token))).status_code == 200
    assert (await http.get("/api/info", headers=bearer(token))).status_code == 200
    await hang_up(http, answer, token)


async def test_an_expired_token_begins_nothing_and_reaches_what_it_has_begun(
    http, body, monkeypatch
):
    unused, used = await given(http, user="ann"), await given(http, user="ann", uses=5)
    answer = (await http.post("/api/offer", json=body, headers=bearer(used))).json()
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s + 601)
    for method, path in (("GET", "/api/info"), ("POST", "/start"), ("POST", "/api/offer")):
        late = await http.request(method, path, json=body, headers=bearer(unused))
        assert (late.status_code, "expired" in late.json()["error"]) == (401, True)
    assert (await http.get("/api/info", headers=bearer(used))).status_code == 200
    lost = body | {"requestData": {"resume": "x" * 43 + ".ann"}}
    for refused in (body, lost):
        response = await http.post("/api/offer", json=refused, headers=bearer(used))
        assert (response.status_code, "expired" in response.json()["error"]) == (401, True)
    assert len(http._transport.app.state.registry) == 1
    await hang_up(http, answer, used)
    monkeypatch.setattr(time, "time", lambda: now_s + 600 + 7200 + 600)
    dead = await http.delete("/api/offer/x", headers=bearer(used))
    assert (dead.status_code, "expired" in dead.json()["error"]) == (401, True)


async def test_a_call_that_does_not_begin_costs_no_use(http, body):
    token = await given(http, agent="vision_agent", options={"voice": "Puck"})
    for wrong, status in (
        ({"sdp": "v=0", "type": "offer"}, 400),
        (body | {"requestData": {"agent": "other"}}, 403),
        (body | {"requestData": {"language": 5}}, 400),
    ):
        refused = await http.post("/api/offer", json=wrong, headers=bearer(token))
        assert refused.status_code == status, refused.text
    answer = (await http.post("/api/offer", json=body, headers=bearer(token))).json()
    await hang_up(http, answer, token)


async def test_encoders_bring_their_token_with_whip(http, body):
    token = await given(http, user="ann")
    headers = bearer(token) | {"Content-Type": "application/sdp"}
    begun = await http.post("/whip", content=body["sdp"], headers=headers)
    assert begun.status_code == 201
    call, *_ = http._transport.app.state.registry._calls.values()
    assert call.lease.user_id == "ann"
    assert (await http.post("/whip", content=body["sdp"], headers=headers)).status_code == 401
    assert (await http.delete(begun.headers["location"], headers=bearer(token))).status_code == 200


async def test_a_token_is_used_once_by_two_servers_and_after_one_was_killed(
    body, tmp_path, monkeypatch
):
    monkeypatch.setenv("VISION_AGENT_TOKEN", "s3cret")
    options = ("--scenario", str(SILENT), "--session-db", f"sqlite:///{tmp_path}/sessions.db")
    async with serving(*options) as one, httpx.AsyncClient() as http:

        async def offered(url: str) -> httpx.Response:
            return await http.post(f"{url}/api/offer", json=body, headers=bearer(token))

        async with serving(*options) as other:
            asked = {"user": "ann", "uses": 2}
            given = await http.post(f"{one.url}/api/tokens", json=asked, headers=SECRET)
            token = given.json()["token"]
            answers = [await offered(url) for url in (other.url, one.url, other.url)]
            assert [answer.status_code for answer in answers] == [200, 200, 401]
            assert "may be used 2 times, and has been" in answers[-1].json()["error"]
            os.kill(other.pid, signal.SIGKILL)
        async with serving(*options) as third:
            assert (await offered(third.url)).status_code == 401


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"user": 5}, "user:"),
        ({"user": "x" * 101}, "at most 100 printable characters"),
        ({"user": "passing-1"}, "does not begin with"),
        ({"uses": 0}, "uses:"),
        ({"uses": 1_001}, "uses:"),
        ({"uses": "2"}, "uses:"),
        ({"expires_s": 86_401}, "expires"),
        ({"expiresS": 0}, "expires"),
        ({"expires": 60}, "expires:"),
        ({"agent": "nobody"}, "nobody"),
        ({"options": {"voice": "x" * 3_000}}, "larger than 2000 bytes"),
        ({"options": {"voise": "Kore"}}, "'voise' is not an option"),
        ({"options": {"language": "none at all"}}, "language"),
        ([], "the body"),
    ],
)
async def test_a_token_that_can_not_be_is_refused_in_words(http, asked, words):
    response = await http.post("/api/tokens", json=asked, headers=SECRET)
    assert response.status_code in (400, 404)
    assert words in response.json()["error"]


async def test_tokens_are_given_for_the_servers_secret_alone_which_reads_the_metrics_too(http):
    token = await given(http, user="ann")
    for headers, status in ((bearer(token), 403), ({}, 401), (bearer("wrong"), 401)):
        response = await http.post("/api/tokens", json={}, headers=headers)
        assert response.status_code == status
        assert (await http.get("/metrics", headers=headers)).status_code == status
    assert (await http.get("/metrics", headers=SECRET)).status_code == 200
    assert (await http.get("/api/info", headers=SECRET)).json()["gives_tokens"]
    assert not (await http.get("/api/info", headers=bearer(token))).json()["gives_tokens"]


async def test_without_a_secret_there_are_no_tokens():
    app = create_app(Settings(_env_file=None, scenario=SILENT, session_db="memory"))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            response = await http.post("/api/tokens", json={})
    assert response.status_code == 404
    assert "VISION_AGENT_TOKEN" in response.json()["error"]

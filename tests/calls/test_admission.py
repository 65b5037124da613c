"""One client can't take everything: limits per address, per call and per conversation."""

from tests.server.ingress.application import TOKEN, application, offered

BAD = {"sdp": "v=0\r\n", "type": "offer"}


def refused(response) -> str:
    """The text of a 429, which has to say when to try again."""
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0
    return response.json()["error"]


async def test_one_address_cannot_take_all_lines_and_the_others_stay_free():
    async with (
        application(max_calls=4, unconnected_calls_per_address=0) as client,
        client("1.1.1.1") as one,
        client("2.2.2.2") as other,
        offered() as body,
    ):
        for _ in range(3):
            assert (await one.post("/api/offer", json=body)).status_code == 200
        assert "as many as one address may have" in refused(await one.post("/api/offer", json=body))
        assert (await other.post("/api/offer", json=body)).status_code == 200
        assert (await other.post("/api/offer", json=body)).status_code == 503


async def test_a_line_of_an_address_is_free_again_when_its_call_is_over():
    async with (
        application(calls_per_address=1) as client,
        client("1.1.1.1") as one,
        offered() as body,
    ):
        call = (await one.post("/api/offer", json=body)).json()["pc_id"]
        refused(await one.post("/api/offer", json=body))
        await one.delete(f"/api/offer/{call}")
        assert (await one.post("/api/offer", json=body)).status_code == 200


async def test_calls_that_are_never_connected_are_few_at_a_time():
    async with (
        application(unconnected_calls_per_address=2) as client,
        client("1.1.1.1") as one,
        offered() as body,
    ):
        codes = [(await one.post("/api/offer", json=body)).status_code for _ in range(4)]
        assert codes == [200, 200, 429, 429]
        assert "still connecting" in refused(await one.post("/api/offer", json=body))


async def test_offers_of_one_address_have_a_rate():
    async with (
        application(offers_per_minute=3) as client,
        client("1.1.1.1") as one,
        client("2.2.2.2") as other,
    ):
        codes = [(await one.post("/api/offer", json=BAD)).status_code for _ in range(3)]
        assert codes == [400] * 3
        assert "Too many offers" in refused(await one.post("/api/offer", json=BAD))
        assert (await other.post("/api/offer", json=BAD)).status_code == 400


async def test_calls_of_one_address_are_begun_at_a_rate(monkeypatch):
    monkeypatch.setattr("vision_agent.calls.admission.CALLS_AT_ONCE", 2)
    async with (
        application() as client,
        client("1.1.1.1") as one,
        client("2.2.2.2") as other,
        offered() as body,
    ):
        token, codes = "", []
        for _ in range(3):
            again = body | {"requestData": {"resume": token} if token else {}}
            response = await one.post("/api/offer", json=again)
            codes.append(response.status_code)
            # One conversation after the other, so that each has a rate of its own.
            token = response.json().get("resume", token)
        assert codes == [200, 200, 429]
        assert (await one.post("/api/offer", json=BAD)).status_code == 400
        assert (await other.post("/api/offer", json=body)).status_code == 200


async def test_callers_behind_a_trusted_proxy_are_counted_one_by_one():
    async with (
        application(offers_per_minute=1, trusted_proxies="127.0.0.1") as client,
        client() as proxy,
    ):
        codes = []
        for caller in ("1.1.1.1", "2.2.2.2", "1.1.1.1"):
            response = await proxy.post("/api/offer", json=BAD, headers={"X-Forwarded-For": caller})
            codes.append(response.status_code)
        assert codes == [400, 400, 429]


async def test_what_others_than_trusted_proxies_say_of_their_address_counts_for_nothing():
    async with application(offers_per_minute=2) as client, client() as liar:
        codes = []
        for number in range(4):
            lie = {"X-Forwarded-For": f"1.1.1.{number}"}
            codes.append((await liar.post("/api/offer", json=BAD, headers=lie)).status_code)
        assert codes == [400, 400, 429, 429]


async def test_one_call_is_not_connected_anew_without_end(monkeypatch):
    monkeypatch.setattr("vision_agent.calls.admission.RESTARTS_AT_ONCE", 2)
    async with application() as client, client() as one, offered() as body:
        call = (await one.post("/api/offer", json=body)).json()["pc_id"]
        again = body | {"pc_id": call, "restart_pc": True}
        codes = [(await one.post("/api/offer", json=again)).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        assert (await one.delete(f"/api/offer/{call}")).status_code == 204


async def test_one_conversation_is_not_continued_without_end(monkeypatch):
    monkeypatch.setattr("vision_agent.calls.admission.RESTARTS_AT_ONCE", 2)
    async with application() as client, client() as one, offered() as body:
        token = (await one.post("/api/offer", json=body)).json()["resume"]
        again = body | {"requestData": {"resume": token}}
        codes = [(await one.post("/api/offer", json=again)).status_code for _ in range(3)]
        assert codes == [200, 200, 429]


async def test_no_limit_on_restarts_is_an_option(monkeypatch):
    monkeypatch.setattr("vision_agent.calls.admission.RESTARTS_AT_ONCE", 1)
    async with application(restarts_per_minute=0) as client, client() as one, offered() as body:
        call = (await one.post("/api/offer", json=body)).json()["pc_id"]
        again = body | {"pc_id": call, "restart_pc": True}
        codes = [(await one.post("/api/offer", json=again)).status_code for _ in range(3)]
        assert codes == [200] * 3


async def test_candidates_of_one_call_have_a_rate(monkeypatch):
    monkeypatch.setattr("vision_agent.calls.admission.TRICKLES_AT_ONCE", 2)
    async with application() as client, client() as one, offered() as body:
        call = (await one.post("/api/offer", json=body)).json()["pc_id"]
        end = {"pc_id": call, "candidates": [{"candidate": ""}]}
        codes = [(await one.patch("/api/offer", json=end)).status_code for _ in range(3)]
        assert codes == [200, 200, 429]


async def test_the_id_of_a_call_alone_does_not_give_its_conversation():
    async with application() as client, client() as one, offered() as body:
        answer = (await one.post("/api/offer", json=body)).json()
        again = body | {"pc_id": answer["pc_id"], "restart_pc": True}
        assert "resume" not in (await one.post("/api/offer", json=again)).json()
        again["requestData"] = {"resume": answer["resume"]}
        known = (await one.post("/api/offer", json=again)).json()
        assert known["resume"] == answer["resume"]


async def test_wrong_tokens_of_one_address_have_a_rate_and_the_others_are_let_in():
    async with (
        application(token="s3cret", wrong_tokens_per_minute=3) as client,
        client("1.1.1.1") as guessing,
        client("2.2.2.2") as other,
    ):
        codes = [
            (await guessing.get("/api/info", headers={"Authorization": f"Bearer {n}"})).status_code
            for n in range(5)
        ]
        assert codes == [401] * 3 + [429] * 2
        # The right token gets the same answer, so a guess reveals nothing.
        assert "wrong access tokens" in refused(await guessing.get("/api/info", headers=TOKEN))
        assert (await other.get("/api/info", headers=TOKEN)).status_code == 200


async def test_who_sends_no_token_guesses_none():
    async with application(token="s3cret", wrong_tokens_per_minute=1) as client, client() as one:
        codes = [(await one.get("/api/info")).status_code for _ in range(3)]
        assert codes == [401] * 3
        assert (await one.get("/api/info", headers=TOKEN)).status_code == 200

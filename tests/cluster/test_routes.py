"""Which worker a request is for."""

import json

import pytest

from vision_agent.cluster.routes import Routes, worker_in
from vision_agent.cluster.worker_state import WorkerState


def worker(name: str, calls: int = 0, **more) -> WorkerState:
    return WorkerState(
        name,
        "g1",
        "node",
        1,
        f"http://{name}",
        "key",
        "",
        **{"calls": calls, "capacity": 4, **more},
    )


def names(workers: list[WorkerState]) -> list[str]:
    return [one.name for one in workers]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/api/offer", {"sdp": "…", "pc_id": "wa.1f"}, "wa"),
        ("POST", "/api/offer", {"sdp": "…", "pcId": "wa.1f"}, "wa"),
        ("PATCH", "/api/offer", {"pc_id": "wb.2", "candidates": []}, "wb"),
        ("DELETE", "/api/offer/wa.1f", None, "wa"),
        ("PATCH", "/whip/sessions/wc.k-_ey", None, "wc"),
        ("DELETE", "/whip/sessions/wc.key", None, "wc"),
        ("POST", "/sessions/wd.9f-1/api/offer", {"sdp": "…"}, "wd"),
        ("DELETE", "/sessions/wd.9f-1/api/offer/wd.7", None, "wd"),
        ("POST", "/api/offer", {"sdp": "…", "pc_id": None}, None),
        ("POST", "/api/offer", {"sdp": "…", "requestData": {"pc_id": "wa.1"}}, None),
        ("POST", "/api/offer", ["wa.1"], None),
        ("POST", "/api/offer", {"pc_id": 7}, None),
        ("POST", "/whip/agent.v2", None, None),
        ("GET", "/call/call.js", None, None),
    ],
)
def test_the_ids_that_a_worker_gave_out_name_it(method, path, body, expected):
    assert worker_in(method, path, json.dumps(body).encode() if body else b"") == expected


def test_a_body_that_is_no_json_names_nobody():
    assert worker_in("POST", "/api/offer", b"{" * 10_000) is None


def test_a_new_call_goes_to_the_least_loaded_and_what_was_placed_since_counts():
    routes = Routes()
    routes.replace([worker("wa", 1), worker("wb", 0), worker("wc", 2)])
    assert names(routes.choose(None, 0.0)) == ["wb", "wa", "wc"]
    routes.placed("wb", 0.0)
    routes.placed("wb", 0.0)
    routes.replace([worker("wa", 1), worker("wb", 0), worker("wc", 2)])  # as old as the one before
    assert names(routes.choose(None, 0.5))[0] == "wa"
    routes.replace([worker("wa", 3), worker("wb", 2)])
    assert names(routes.choose(None, 2.0)) == ["wb", "wa"]


def test_a_larger_worker_takes_more():
    routes = Routes()
    routes.replace([worker("wa", 2), worker("wb", 3, capacity=20)])
    assert names(routes.choose(None, 0.0)) == ["wb", "wa"]


def test_one_that_ends_or_can_not_answer_is_asked_last():
    routes = Routes()
    routes.replace([worker("wa", draining=True), worker("wb", problem="starting"), worker("wc", 3)])
    assert names(routes.choose(None, 0.0)) == ["wc", "wb", "wa"]


def test_the_worker_that_is_named_comes_first_and_one_that_is_gone_is_spoken_for_by_another():
    routes = Routes()
    routes.replace([worker("wa", 0), worker("wb", 3)])
    assert names(routes.choose("wb", 0.0))[0] == "wb"
    routes.lost("wb")
    assert names(routes.choose("wb", 0.0)) == ["wa"]

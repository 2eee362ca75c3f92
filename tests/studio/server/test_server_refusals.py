"""Strangers and invalid requests are refused by the server."""

import pytest

pytest.importorskip("starlette", reason="Studio's packages are not there: pip install '.[studio]'")

from server_pages import TOKEN, Page
from starlette.websockets import WebSocketDisconnect


@pytest.mark.parametrize(
    "headers",
    [
        {"x-studio-token": ""},
        {"x-studio-token": "guess"},
        {"host": "evil.example:8765"},
        {"host": "127.0.0.1:80"},
        {"host": "127.0.0.1:8765@evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
def test_strangers_are_not_answered(client, headers):
    for path in ("/api/state", "/", "/api/frames/0"):
        assert client.get(path, headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/events", headers=headers):
        pass


def test_events_need_the_page_as_their_origin(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/events"):
        pass


def test_token_may_be_in_the_address(client):
    assert client.get(f"/api/state?token={TOKEN}", headers={"x-studio-token": ""}).status_code == 200


def test_nothing_is_changed_without_an_open_page(client):
    answer = client.post("/api/objects", json={})
    assert answer.status_code == 409


def test_answers_keep_the_page_apart_from_others(client):
    headers = client.get("/api/state").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/page/../server.py", "/page/%2e%2e/server.py", "/page//etc/passwd"])
def test_only_the_page_is_served(client, path):
    assert client.get(path).status_code in (403, 404)


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", "masks/0?ids=1", b"\0" * 12, 400),
        ("PUT", "masks/0?ids=1", b"", 400),
        ("PUT", "masks/0?ids=1;rm", b"\0" * 8, 400),
        ("PUT", "masks/0?ids=", b"\0" * 8, 400),
        ("PUT", "masks/99?ids=1", b"\0" * 8, 404),
        ("POST", "objects", b"[1]", 400),
        ("POST", "objects", b"{", 400),
        ("POST", "objects", b"[" * 100_000, 400),
        ("POST", "objects", b'{"name": ""}', 400),
        ("POST", "objects", b'{"name": 5}', 400),
        ("POST", "objects", b'{"color": "red"}', 400),
        ("POST", "objects", b"x" * (5 * 2**20), 413),
        ("POST", "track", b'{"frame": 0, "direction": "forward"}', 400),
        ("POST", "track", b'{"frame": true, "direction": "forward"}', 400),
        ("POST", "track", b'{"frame": 0, "direction": "up"}', 400),
        ("POST", "exports", b'{"kinds": ["exe"]}', 400),
        ("POST", "exports", b'{"kinds": ["masks"]}', 400),
        ("POST", "masks/0/path", b'{"from": [1], "to": [2, 3]}', 400),
        ("GET", "exports/7", b"", 404),
        ("GET", "frames/x", b"", 404),
    ],
)
def test_invalid_requests_get_a_sentence(page, method, path, content, status):
    page.ask(method, path, status=status, content=content)
    assert page.ask("GET", "state")["objects"] == []


def pieces(count):
    """A body of so many MiB whose length is not announced."""
    for _ in range(count):
        yield b" " * 2**20


def test_too_long_request_is_refused_as_it_arrives(page):
    assert "More than 4 MiB" in page.ask("POST", "objects", status=413, content=pieces(5))["error"]
    assert "not valid JSON" in page.ask("POST", "objects", status=400, content=pieces(3))["error"]  # it was read


def test_too_long_video_is_refused_as_it_arrives_and_nothing_of_it_is_kept(client, tmp_path, monkeypatch):
    monkeypatch.setattr("livos.studio.received.VIDEO_BYTES", 2**20)
    with client.websocket_connect("/api/events", headers={"origin": "http://127.0.0.1:8765"}) as socket:
        page = Page(client, socket)
        page.ask("POST", "videos?suffix=mp4", status=413, content=pieces(3))
        page.ask("POST", "videos?suffix=mp4", status=413, content=b" " * (2**20 + 1))
        assert page.ask("GET", "state")["phase"] == "choose"
    assert not list(tmp_path.glob("*dropped-*")) + list(tmp_path.glob(".*dropped-*"))

"""Which addresses the server answers to: on this machine alone, and when it listens to others as well."""

import socket

import pytest

pytest.importorskip("starlette", reason="Studio's packages are not there: pip install '.[studio]'")

from starlette.datastructures import Headers, QueryParams

from livos.studio.guard import Door

HERE, ANYWHERE = Door("secret", "127.0.0.1", 8765), Door("secret", "0.0.0.0", 8765)


def complaint(door, *headers, path="/api/state", query="token=secret"):
    """What the door says of a request with these pairs of names and values."""
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return door.complaint(path, Headers(raw=raw), QueryParams(query))


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"])
def test_names_of_this_machine_are_its_own_address(host):
    assert complaint(HERE, ("host", host)) is None
    assert complaint(HERE, ("host", host), ("origin", f"http://{host}")) is None


@pytest.mark.parametrize("host", ["192.168.1.5:8765", f"{socket.gethostname().lower()}.example:8765", "[fe80::1]:8765"])
def test_other_numbers_and_names_are_strangers_while_it_listens_to_this_machine_alone(host):
    assert complaint(HERE, ("host", host)) == "This server answers only to its own address."


def test_numbers_and_the_name_of_the_machine_are_its_address_once_it_listens_to_others():
    for host in ("192.168.1.5:8765", "[fe80::1]:8765", f"{socket.gethostname().lower()}:8765"):
        assert complaint(ANYWHERE, ("host", host)) is None
    for host in ("evil.example:8765", "192.168.1.5:80", "192.168.1.5", "guest@192.168.1.5:8765", "192.168.1.5:x"):
        assert complaint(ANYWHERE, ("host", host)) == "This server answers only to its own address."


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("host", "127.0.0.1:8765"), ("host", "evil.example:8765")],
        [("host", "127.0.0.1:8765"), ("origin", "http://127.0.0.1:8765"), ("origin", "http://evil.example")],
        [("host", "127.0.0.1:8765"), ("origin", "https://127.0.0.1:8765")],
        [("host", "127.0.0.1:8765"), ("origin", "http://localhost:8765")],
    ],
)
def test_requests_without_one_host_and_at_most_one_origin_of_the_same_are_refused(headers):
    assert "its own" in complaint(HERE, *headers)


def test_code_of_the_page_needs_no_token_but_everything_else_does():
    host = ("host", "127.0.0.1:8765")
    assert complaint(HERE, host, path="/page/page.js", query="") is None
    for path in ("/", "/api/state", "/pages", "/page"):
        assert "lacks its token" in complaint(HERE, host, path=path, query="")
        assert "lacks its token" in complaint(HERE, host, path=path, query="token=secre")
        assert complaint(HERE, host, ("x-studio-token", "secret"), path=path, query="") is None

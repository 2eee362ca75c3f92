"""The assembled page on a static server, and a real browser that opens it."""

import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from needed_packages import skip_without
from script_modules import load_script


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files as `python -m http.server` does, without a line for each."""

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="session")
def assembled(tmp_path_factory) -> Path:
    """The page with the bundled weights, as the documented command makes it."""
    skip_without("onnx", "onnxscript", "onnxruntime")
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    script = load_script("docs/browser/assemble.py")
    script.PATIENCE = 240
    folder = tmp_path_factory.mktemp("browser") / "page"
    try:
        script.assemble(folder)
    except OSError as error:
        if "npm" not in str(error):
            raise
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def address(assembled) -> Iterator[str]:
    """Where the page is served."""
    handler = functools.partial(QuietHandler, directory=str(assembled))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join(timeout=20)
    server.server_close()


@pytest.fixture
def page(address, new_page):
    """The page at 1280 x 720."""
    return new_page(address)

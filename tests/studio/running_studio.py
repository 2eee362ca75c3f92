"""A real server of LiVOS Studio on a few frames of the bundled clip."""

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "examples" / "demo" / "JPEGImages" / "launch-pad-cafe"
NUM_FRAMES = 12
START_S = 90


def need_packages() -> ModuleType:
    """uvicorn; skips the test where Studio's packages are not installed."""
    return pytest.importorskip("uvicorn", reason="Studio's packages are not there: pip install '.[studio]'")


class StudioProcess:
    """`livos studio` in a separate process, which can be killed.

    folder: contains the video, `clip`, and its project, `clip.livos`. address: of the page, with the token.
    """

    def __init__(self, folder: Path, *arguments: str):
        need_packages()
        self.folder = folder
        self._arguments = arguments
        self.address = ""
        self._start()

    def _start(self) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "HOME": str(self.folder)}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "vos-benchmark")])
        command = [sys.executable, "-m", "livos.commands.studio", "--no-browser", "--port", "0", *self._arguments]
        self._process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.address = self._wait_for_address()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _wait_for_address(self) -> str:
        said = []
        while line := self._lines.get(timeout=START_S):
            said.append(line)
            if "http://" in line:
                return line[line.index("http://") :].strip()
        raise AssertionError("the server ended: " + "".join(said))

    def kill(self) -> None:
        """Ends the server without giving it time to save anything."""
        self._process.kill()
        self._process.wait(20)

    def restart(self) -> None:
        """Starts another server on the same video; its address is another."""
        self._start()


class StudioThread:
    """The same server in a thread of this process: it starts at once. port: 0 for any free one."""

    def __init__(self, folder: Path, path: Path | None, port: int = 0, token: str = "secret"):
        uvicorn = need_packages()
        from livos.studio.document import Settings
        from livos.studio.guard import Door
        from livos.studio.pages import Pages
        from livos.studio.server import listen, make_app
        from livos.studio.session import Session

        self.folder = folder
        session = Session(Pages(), Settings("lite", 96, "float32", "cpu"))
        listener = listen("127.0.0.1", port)
        port = listener.getsockname()[1]
        if path is not None:
            session.open(path)
        config = uvicorn.Config(
            make_app(session, Door(token, "127.0.0.1", port)), log_level="warning", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        self._wait_until_it_listens()
        self.address = f"http://127.0.0.1:{port}/?token={token}"

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + START_S
        while not self._server.started:
            assert self._thread.is_alive() and time.monotonic() < end, "the server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server."""
        self._server.should_exit = True
        self._thread.join(20)

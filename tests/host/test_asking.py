"""How the thread that asks peers ends."""

import subprocess
import sys

ASK_AND_CLOSE = """
import socket, time
import httpx
from stigmem_cursor_plugin.host.asking import Asker

with socket.create_server(("127.0.0.1", 0)) as server:
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    for number in range(60):
        with Asker(lambda: httpx.AsyncClient(timeout=5)) as asker:
            asker.ask_ahead(url, {})
            time.sleep((number % 30) / 20_000)
"""


def test_closing_while_a_request_begins() -> None:
    """A request that is given up at any moment leaves nothing behind and says nothing."""
    finished = subprocess.run(
        [sys.executable, "-c", ASK_AND_CLOSE], capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")

"""What the browser talks to: the page under an address that nobody can guess, and a WebSocket beside it.

Any page that a browser shows may send requests to this machine, and any name may be made to lead to it. So the server listens on the
loopback interface alone, and answers no one who does not know the token in the address, who calls it by another name than its own, or
whom the browser says to come from another page.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

__all__ = ["Server"]

HOST = "127.0.0.1"
GOODBYE = 0.1
"""Seconds that tabs have to answer when the server ends."""
LONGEST = 2**16
"""Bytes of a message from the page; an edit has some fifty."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server:
    """Serves one page and talks to all tabs that show it, in a thread of its own.

    Parameters
    ----------
    page : callable
        Returns the page as it is now.
    now : callable
        Returns the message that a tab gets when it connects.
    receive : callable
        Called with each message of a tab, in the server's thread.
    port : int
        0 takes any that is free.

    Attributes
    ----------
    address : str
        What to open in a browser of this machine.

    Raises
    ------
    OSError
        If the port is taken.
    """

    def __init__(self, page: Callable[[], str], now: Callable[[], str], receive: Callable[[dict[str, Any]], None], *, port: int) -> None:
        self._page, self._now, self._receive = page, now, receive
        self._token = secrets.token_urlsafe(24)
        self._tabs: set[ServerConnection] = set()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self._start(port))
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._names = {f"{HOST}:{self.port}", f"localhost:{self.port}"}
        self.address = f"http://{HOST}:{self.port}/{self._token}/"
        self._thread = threading.Thread(target=self._loop.run_forever, name="autograd_np live server", daemon=True)
        self._thread.start()

    async def _start(self, port: int) -> Any:
        quiet = logging.getLogger("autograd_np.live")
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        options: dict[str, Any] = {"compression": None, "max_size": LONGEST, "close_timeout": 1, "server_header": None, "logger": quiet}
        return await serve(self._talk, HOST, port, process_request=self._answer, **options)

    def send(self, message: str) -> None:
        """Send a message to every tab; to be called from any thread."""
        self._loop.call_soon_threadsafe(lambda: broadcast(self._tabs, message))

    def close(self) -> None:
        """Say goodbye to the tabs, and let go of the port."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), GOODBYE)
        rest = asyncio.all_tasks() - {asyncio.current_task()}  # browsers open connections in reserve, and say nothing on them for long
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    # --- in the server's thread

    def _answer(self, _: ServerConnection, request: Request) -> Response | None:
        """Return the answer to a request, or None for a WebSocket that may be opened."""
        if not self._comes_from_here(request.headers):
            return _response(403, "This page is for this machine and its own tabs alone.\n")
        path = request.path.partition("?")[0].split("/")
        if len(path) != 3 or not hmac.compare_digest(path[1].encode(), self._token.encode()):
            return _response(404, "There is nothing here: the address has a token, which was printed when the page was started.\n")
        if path[2] == "live":
            return None
        return _response(200, self._page(), "text/html") if not path[2] else _response(404, "There is nothing here.\n")

    def _comes_from_here(self, headers: Headers) -> bool:
        hosts, origins = headers.get_all("Host"), headers.get_all("Origin")
        if len(hosts) != 1 or hosts[0] not in self._names:
            return False
        if headers.get("Upgrade") and not origins:  # every browser says where a WebSocket comes from
            return False
        return all(origin.removeprefix("http://") in self._names and origin.startswith("http://") for origin in origins)

    async def _talk(self, tab: ServerConnection) -> None:
        self._tabs.add(tab)
        try:
            await tab.send(self._now())
            async for text in tab:
                message = _read(text)
                if message is not None:
                    self._receive(message)
        except ConnectionClosed:
            pass
        finally:
            self._tabs.discard(tab)


def _read(text: str | bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _response(status: int, text: str, kind: str = "text/plain") -> Response:
    body = text.encode()
    reasons = {200: "OK", 403: "Forbidden", 404: "Not Found"}
    headers = Headers(_HEADERS)
    headers["Content-Type"] = f"{kind}; charset=utf-8"
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status, reasons[status], headers, body)

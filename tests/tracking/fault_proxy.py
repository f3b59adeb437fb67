"""A proxy in front of a real MLflow server that fails in the ways in which servers and networks fail."""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self
from urllib.parse import urlsplit

Fault = Literal["none", "refuse", "500", "503", "hang", "slow", "cut", "drop", "torn"]
"""refuse: nobody listens. slow: each answer takes `delay` more. cut: the request is carried out, its answer ends in the
middle. drop: carried out, no answer at all. torn: the server gets half of the request's body."""

FAULTS: tuple[Fault, ...] = ("refuse", "500", "503", "hang", "slow", "cut", "drop", "torn")
PASSWORD = "hunter2"
ANSWERS: dict[Fault, int] = {"500": 500, "503": 503}


class FaultProxy:
    """Passes requests on to `upstream`, or fails as `switch` says, or as `choose` says of each request's number."""

    def __init__(self, upstream: str, delay: float = 0.05) -> None:
        self.upstream, self.delay = urlsplit(upstream).netloc, delay
        self.choose: Callable[[int], Fault] = lambda number: "none"
        self.lifted = threading.Event()
        """Set when hanging requests shall end."""
        self.requests: list[str] = []
        """What came in since the last switch: method and path."""
        self._counting = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._listen(0)

    @property
    def address(self) -> str:
        """With a password, which the server does not ask for."""
        return f"http://user:{PASSWORD}@127.0.0.1:{self.port}"

    def switch(self, fault: Fault) -> None:
        """From now on every request meets this fault, and those that hang end without an answer."""
        self.lifted.set()
        self.lifted = threading.Event()
        self.requests = []
        self.choose = lambda number: fault
        if fault == "refuse":
            self._close()
        elif self._server is None:
            self._listen(self.port)

    def fault_of(self, request: str) -> Fault:
        with self._counting:
            self.requests.append(request)
            return self.choose(len(self.requests) - 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.lifted.set()
        self._close()

    def _listen(self, port: int) -> None:
        handler = type("Relay", (_Relay,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Relay(BaseHTTPRequestHandler):
    """One request; the connection is closed after it."""

    proxy: FaultProxy

    def relay(self) -> None:
        fault, lifted = self.proxy.fault_of(f"{self.command} {self.path}"), self.proxy.lifted
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault in ANSWERS:
            self._answer(ANSWERS[fault], [("Retry-After", "600")], b"out of order")
        elif fault == "hang":
            lifted.wait()
        else:
            if fault == "slow":
                lifted.wait(self.proxy.delay)
            try:
                status, headers, content = self._ask(body, torn=fault == "torn")
            except (OSError, http.client.HTTPException):
                return  # the server is gone, and so is this connection
            if fault in ("none", "slow"):
                self._answer(status, headers, content)
            elif fault == "cut":
                self._answer(status, headers, content, len(content) // 2)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = relay  # noqa: N815

    def _ask(self, body: bytes, torn: bool) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=30)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body[: len(body) // 2] if torn else body)
            if torn:
                return 0, [], b""
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, sent: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:sent])

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Print nothing."""

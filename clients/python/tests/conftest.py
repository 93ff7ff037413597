import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from durable_agentflow import Client, retries


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """The connection is closed before what Content-Length promises."""


Reply = Answer | None
"""None closes the connection without a word."""


class Stub:
    """An API over real sockets that says what a test has laid out, in order; then what `otherwise` says."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies: list[Reply] = []
        self.otherwise: Callable[[Received], Reply] | None = None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def says(self, *replies: Reply | dict[str, Any]) -> None:
        self.replies += [self.json(reply) if isinstance(reply, dict) else reply for reply in replies]

    def json(self, body: object, status: int = 200, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})

    def error(self, status: int, code: str = "wrong", **rest: Any) -> Answer:
        return self.json({"error": {"type": "some_error", "code": code, "message": "It is wrong.", **rest}}, status)

    def events(self, *sequences: int, cut: str | None = None, type: str = "step.completed") -> Answer:
        """A stream of events. `cut` is the beginning of one more: the connection breaks in it."""
        told = [{"sequence": number, "type": type, "data": {"step": number}} for number in sequences]
        return self.stream("".join(f"id: {e['sequence']}\ndata: {json.dumps(e)}\n\n" for e in told), cut)

    def stream(self, text: str, cut: str | None = None) -> Answer:
        return Answer(200, (text + (cut or "")).encode(), {"Content-Type": "text/event-stream"}, cut is not None)

    def page(self, *rows: object, more: bool = False) -> dict[str, Any]:
        return {"object": "list", "data": list(rows), "has_more": more, "first_id": None, "last_id": "last"}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                received = Received(self.command, self.path, dict(self.headers.items()), body)
                stub.received.append(received)
                reply = stub.replies.pop(0) if stub.replies else stub.otherwise and stub.otherwise(received)
                self.close_connection = True
                if reply is None:
                    return
                self.send_response(reply.status)
                self.send_header("Connection", "close")
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("Content-Length", str(len(reply.body) + (100 if reply.cut else 0)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None: ...

        return Handler


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.stop()


@pytest.fixture
def client(stub: Stub) -> Iterator[Client]:
    with Client(stub.url, "af-secret") as client:
        yield client


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.001)


@pytest.fixture
def run() -> dict[str, Any]:
    """A training run as the API says it is."""
    return {
        "id": "run-1",
        "object": "training_run",
        "name": "small",
        "status": "running",
        "step": 0,
        "steps": 2,
        "policy": None,
        "config": {},
        "failure": None,
        "created_at": "2026-01-02T03:04:05.678Z",
    }

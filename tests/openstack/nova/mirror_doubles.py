# SPDX-License-Identifier: Apache-2.0
"""What the mirror's tests talk to where it is not the real thing: a server that misbehaves, a source
that says what the test wants, and a keystoneauth adapter without Keystone."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import libattest
from keystoneauth1 import adapter, session, token_endpoint

from libattest_nova.backends import Answer, Unanswered

TRUSTED, UNTRUSTED, UNKNOWN = (
    libattest.Verdict.TRUSTED,
    libattest.Verdict.UNTRUSTED,
    libattest.Verdict.UNKNOWN,
)


def make_adapter(
    url: str, service_type: str, headers: Mapping[str, str] | None = None
) -> Callable[[], adapter.Adapter]:
    def make() -> adapter.Adapter:
        one = session.Session(auth=token_endpoint.Token(url, "admin"), additional_headers=headers)
        return adapter.Adapter(one, service_type=service_type)

    return make


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not come to be so in time")
        time.sleep(0.02)


class Scripted:
    """A source: `hosts` are name -> kind, `say` name -> verdict; of the others it is silent."""

    def __init__(
        self, say: Mapping[str, libattest.Verdict], hosts: Mapping[str, str] | None = None
    ):
        self.say = dict(say)
        self.hosts = dict.fromkeys(say, "compute") if hosts is None else dict(hosts)
        self.age = 0.0  # knob: seconds since the measurement
        self.hang = threading.Event()  # knob: no poll ends while it is set
        self.broken = False  # knob
        self.polls = 0

    def names(self, timeout: float) -> Mapping[str, str]:
        return self.hosts

    def fetch(self, names: list[str], timeout: float) -> Answer:
        self.polls += 1
        while self.hang.is_set():
            time.sleep(0.02)
        if self.broken:
            raise Unanswered("the test wants it so")
        at = time.time() - self.age
        verdicts = [libattest.HostVerdict(n, self.say[n], at) for n in names if n in self.say]
        return Answer(verdicts, frozenset(names) - self.say.keys())

    def close(self) -> None:
        pass


class RawServer:
    """Answers each connection with `answer(socket)`, after it has read a request's head."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.answer = answer
        self.requests: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "RawServer":
        return self

    def __exit__(self, *_: object) -> None:
        # shutdown() ends accept(), close() alone does not.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(4096)
                if not part:
                    return
                head += part
            self.requests.append(head.decode(errors="replace"))
            self.answer(connection)


def said(status: str, body: object = None, headers: str = "") -> Callable[[socket.socket], None]:
    text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    def answer(connection: socket.socket) -> None:
        connection.sendall(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n{headers}"
            f"Connection: close\r\n\r\n".encode() + text
        )

    return answer


@contextlib.contextmanager
def silence(seconds: float = 30.0) -> Iterator[Callable[[socket.socket], None]]:
    """Nothing is said until the test is over."""
    over = threading.Event()
    try:
        yield lambda connection: over.wait(seconds) and None
    finally:
        over.set()


@contextlib.contextmanager
def trickle(first: bytes, pause: float = 0.02) -> Iterator[Callable[[socket.socket], None]]:
    """`first`, then a byte now and then: no timeout between two bytes ends that, but the test's end."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        while not over.wait(pause):
            connection.sendall(b"x")

    try:
        yield answer
    finally:
        over.set()

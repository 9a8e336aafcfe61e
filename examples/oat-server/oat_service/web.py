# SPDX-License-Identifier: Apache-2.0
"""HTTPS: a bounded number of connections, each bounded in time and size."""

import collections
import concurrent.futures
import contextlib
import hmac
import http
import http.server
import json
import logging
import socket
import socketserver
import ssl
import threading

from .pollhosts import BadRequest, PollHosts, names_of
from .settings import Settings

PATHS = (
    "/OpenAttestationWebServices/V1.0/PollHosts",  # OAT 1.0
    "/AttestationService/resources/PollHosts",  # OAT 1.5 to 2.x
)
AUTH_HEADERS = ("x-auth-blob", "Auth_blob")  # Nova's; that of OAT 1.0
MAX_BODY = 1 << 20
SECONDS = 10.0  # to read a request, and again to take its answer

log = logging.getLogger(__name__)


class Watch:
    """Hangs up on a peer that takes too long: a socket's own timeout begins anew with each byte."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        self.start()

    def start(self) -> None:
        self._timer = threading.Timer(SECONDS, self._hang_up)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            # Not SSLSocket's, which would go on without TLS.
            socket.socket.shutdown(self._connection, socket.SHUT_RDWR)


class Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, settings: Settings) -> None:
        if ":" in settings.address[0]:
            self.address_family = socket.AF_INET6
        self.auth_blob = settings.auth_blob
        self.poll_hosts = PollHosts(settings.hosts, settings.judges, settings.timeout)
        self._context = settings.context
        self._free = threading.BoundedSemaphore(settings.workers)
        self._pool = concurrent.futures.ThreadPoolExecutor(settings.workers, "connection")
        # Which closes the server when it can not listen. Handlers are made by _serve.
        super().__init__(settings.address, socketserver.BaseRequestHandler)

    def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        self._free.acquire()  # who finds no worker free waits in the kernel
        self._pool.submit(self._serve, request, client_address)

    def server_close(self) -> None:
        super().server_close()
        self._pool.shutdown()
        self.poll_hosts.close()

    def _serve(self, request: socket.socket, peer: tuple[str, int]) -> None:
        try:
            # TLS begins here and not where connections are accepted: a peer that is silent holds up no other.
            with self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as connection:
                watch = Watch(connection)
                try:
                    connection.do_handshake()
                    Handler(connection, peer, self, watch)
                finally:
                    watch.stop()
        except OSError as error:  # TLS's errors are among these
            log.info("%s: %s", peer[0], error)
        except Exception:
            log.exception("%s", peer[0])
        finally:
            self.shutdown_request(request)
            self._free.release()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def __init__(self, connection: ssl.SSLSocket, peer: tuple[str, int], server: Server, watch: Watch) -> None:
        self._watch = watch
        super().__init__(connection, peer, server)

    def do_POST(self) -> None:
        try:
            body = self._body()
            if self.path not in PATHS:
                return self.send_error(404)
            if not self._is_allowed():
                return self.send_error(401, "the authentication blob is missing or wrong")
            names = names_of(body)
        except BadRequest as error:
            return self.send_error(400, str(error))
        self._watch.stop()
        hosts = self.server.poll_hosts.answer(names)
        self._watch.start()
        levels = collections.Counter(host["trust_lvl"] for host in hosts)
        log.info("%s: %s", self.client_address[0], dict(levels))
        self._reply(200, {"hosts": hosts})

    def _is_allowed(self) -> bool:
        given = next((self.headers[name] for name in AUTH_HEADERS if name in self.headers), "")
        wanted = self.server.auth_blob
        return not wanted or hmac.compare_digest(wanted, given.encode("latin-1", "replace"))

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            raise BadRequest("there is no Content-Length")
        if len(length) > 9 or int(length) > MAX_BODY:
            raise BadRequest(f"the body is longer than {MAX_BODY} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise BadRequest("the body is not whole")
        return body

    def _reply(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """As OAT says it, also where the base class found the error."""
        self.close_connection = True
        words = message or http.HTTPStatus(code).phrase
        log.info("%s: %d %s", self.client_address[0], code, ascii(words))
        self._reply(code, {"error_code": code, "error_message": words})

    def version_string(self) -> str:
        return "oat-server"

    def log_message(self, *_: object) -> None:
        """What is worth a line has one above."""

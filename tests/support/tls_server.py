# SPDX-License-Identifier: Apache-2.0
"""What the doubles of services listen with: HTTP/1.1 over TLS, each connection in a thread of its own."""

import http.server
import ssl
import threading


class TlsHandler(http.server.BaseHTTPRequestHandler):
    """Its subclasses are do_GET and the like. It says nothing on standard error."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        # In this connection's own thread: a peer that never speaks holds up nobody else.
        self.request.settimeout(30)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server closes only what it accepted

    def log_message(self, *_: object) -> None:
        pass


class TlsServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, context: ssl.SSLContext, handler: type[TlsHandler], address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.context = context
        super().__init__((address, port), handler)
        self.port: int = self.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:  # a peer that hung up, or that TLS refused
        pass

# SPDX-License-Identifier: Apache-2.0
"""A TLS server that answers as it is told, right or wrong, and the certificates for it.

    pki = Pki(folder)
    with FaultServer(pki, {"GET /version": json_answer({...})}) as server: ...  # server.port, server.requests
"""

import http
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Callable

# What to do with a connection whose request was read: bytes to send, or a function that does it.
Answer = bytes | Callable[[ssl.SSLSocket], None]


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def json_answer(results: object, status: int = 200) -> bytes:
    body = {"code": status, "status": "Success", "results": results}
    return answer(status, json.dumps(body).encode(), "Content-Type: application/json")


VERSION = json_answer({"current_version": "2.6", "supported_versions": ["1.0", "2.1", "2.6", "3.0"]})


def trickle(connection: ssl.SSLSocket) -> None:
    """A byte now and then, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def silent(connection: ssl.SSLSocket) -> None:
    connection.settimeout(60)
    connection.recv(1)


def huge(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    while True:
        connection.sendall(chunk)


def endless_headers(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


class Pki:
    """A CA, and certificates that it issued; an other CA, with the same."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._ca("ca")
        self._ca("other")
        self.issue("server", "DNS:localhost,IP:127.0.0.1")
        self.issue("misnamed", "DNS:elsewhere.example,IP:192.0.2.1")
        self.issue("foreign", "DNS:localhost,IP:127.0.0.1", by="other")
        self.issue("expired", "DNS:localhost,IP:127.0.0.1", days=-1)
        self.issue("client", "DNS:client")

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def _openssl(self, *arguments: str, stdin: str = "") -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, input=stdin.encode()
        )

    def _ca(self, name: str) -> None:
        self._openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"),
            *("-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", "/CN=Test CA"),
        )

    def issue(self, name: str, names: str, by: str = "ca", days: int = 30) -> None:
        self._openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
        )
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        self._openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key"),
            *("-CAcreateserial", "-days", str(days), "-out", f"{name}.crt", "-extfile", f"{name}.ext"),
        )

    def self_signed(self, name: str, key: str | None = None) -> None:
        made = ["-key", key] if key else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        if not key:
            made += ["-keyout", f"{name}.key"]
        else:
            (self.folder / f"{name}.key").write_text(self.text(key))
        self._openssl("req", "-x509", *made, "-days", "30", "-out", f"{name}.crt", "-subj", "/CN=agent")


class FaultServer:
    """Serves `answers`, by "METHOD path" without the query; others get 404. Each connection may ask
    any number of times, until an answer is not whole."""

    def __init__(
        self,
        pki: Pki,
        answers: dict[str, Answer],
        certificate: str = "server",
        *,
        client_certificate: bool = True,
        maximum: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> None:
        self.answers = answers
        self.requests: list[str] = []  # "METHOD path?query"
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if maximum < ssl.TLSVersion.TLSv1_2:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with warnings.catch_warnings():  # about versions that are not to be used
            warnings.simplefilter("ignore")
            self.context.maximum_version = maximum
        self.context.load_cert_chain(pki.folder / f"{certificate}.crt", pki.folder / f"{certificate}.key")
        if client_certificate:
            self.context.load_verify_locations(pki.folder / "ca.crt")
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> "FaultServer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self.context.wrap_socket(raw, server_side=True) as connection:
                while self._exchange(connection):
                    pass
        except (OSError, ssl.SSLError):
            raw.close()

    def _exchange(self, connection: ssl.SSLSocket) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = connection.recv(1)
            if not part:
                return False
            head += part
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        length = next((int(x.split(":")[1]) for x in lines if x.lower().startswith("content-length:")), 0)
        body = b""
        while len(body) < length:
            body += connection.recv(length - len(body))
        self.requests.append(f"{method} {path}")
        self.heads.append(head.decode())
        self.bodies.append(body)
        wanted = self.answers.get(f"{method} {path.partition('?')[0]}", answer(404))
        if callable(wanted):
            wanted(connection)
            return False
        connection.sendall(wanted)
        return True

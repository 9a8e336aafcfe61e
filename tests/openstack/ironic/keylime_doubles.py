# SPDX-License-Identifier: Apache-2.0
"""A registrar and a verifier that know what the test wants, with knobs to misbehave.

Two HTTPS servers, with a CA and a client certificate of their own in `folder`. The real ones take
their place in peers_test.py where PyPI is reached.
"""

import base64
import json
import pathlib
import ssl
import subprocess
import time
import urllib.parse

from tls_server import TlsHandler, TlsServer

API = "2.1"


def make_ca(folder: pathlib.Path) -> None:
    """cacert.crt, server and client certificates, named as Keylime names them in cv_ca."""
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*words: object) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
            "cacert.crt", "-days", 30, "-subj", "/CN=test CA")  # fmt: skip
    for name, address in (("server", "DNS:localhost,IP:127.0.0.1"), ("client", "DNS:client")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}-private.pem", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
        (folder / "ext").write_text(f"subjectAltName={address}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "cacert.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}-cert.crt", "-days", 30,
                "-extfile", "ext")  # fmt: skip


class Keylime:
    """The two services. `agents` is what is registered; `attested` what the verifier was given."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = pathlib.Path(folder)
        self.agents: dict[str, dict] = {}
        self.attested: dict[str, dict] = {}
        self.state, self.count, self.event = 3, 1, ""  # knobs: the verifier's verdict
        self.answer: tuple[int, bytes, dict[str, str]] | None = None  # knob: this to everything
        self.delay = 0.0  # knob
        self.requests: list[str] = []
        if not (self.folder / "cacert.crt").exists():
            make_ca(self.folder)

    def __enter__(self) -> "Keylime":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server-cert.crt", self.folder / "server-private.pem")
        context.load_verify_locations(self.folder / "cacert.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        keylime = self

        class Handler(TlsHandler):
            def do_GET(self) -> None:
                keylime._reply(self)

            do_POST = do_DELETE = do_PUT = do_GET

        self._servers = [TlsServer(context, Handler) for _ in range(2)]
        self.verifier_port, self.registrar_port = (server.port for server in self._servers)
        for server in self._servers:
            server.start()
        return self

    def __exit__(self, *_) -> None:
        for server in self._servers:
            server.stop()

    @property
    def ca(self) -> str:
        return (self.folder / "cacert.crt").read_text()

    def register(self, agent, **changes: object) -> None:
        """What the registrar says of a KeylimeAgent."""
        tpm = changes.pop("tpm", agent.tpm)
        self.agents[agent.uuid] = {
            "aik_tpm": base64.b64encode(tpm.ak).decode(),
            "ek_tpm": base64.b64encode(tpm.ek).decode(),
            "ekcert": base64.b64encode(tpm.ek_certificate).decode(),
            "mtls_cert": agent.certificate,
            "ip": agent.address,
            "port": agent.port,
            "regcount": 1,
            **changes,
        }

    def driver_info(self) -> dict:
        return {
            "keylime_v": "127.0.0.1",
            "keylime_vp": self.verifier_port,
            "keylime_r": "127.0.0.1",
            "keylime_rp": self.registrar_port,
        }

    def options(self) -> dict[str, str]:
        """Of [libattest]."""
        return {
            "keylime_ca": str(self.folder / "cacert.crt"),
            "keylime_cert": str(self.folder / "client-cert.crt"),
            "keylime_key": str(self.folder / "client-private.pem"),
            "call_timeout": "5",
        }

    def _reply(self, request: TlsHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.requests.append(f"{request.command} {request.path}")
        time.sleep(self.delay)
        headers: dict[str, str] = {}
        if self.answer is not None:
            status, text, headers = self.answer
        else:
            verifier = request.server.server_address[1] == self.verifier_port
            status, results = self._results(verifier, request.command, request.path, body)
            text = json.dumps({"code": status, "status": "", "results": results}).encode()
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)

    def _results(self, verifier: bool, method: str, path: str, body: bytes) -> tuple[int, dict]:
        parts = urllib.parse.urlsplit(path).path.strip("/").split("/")
        if parts == ["version"]:
            return 200, {"current_version": API, "supported_versions": ["2.0", API]}
        if len(parts) != 3 or parts[1] != "agents":
            return 404, {}
        known, uuid = (self.attested if verifier else self.agents), parts[2]
        if method == "POST" and verifier:
            known[uuid] = json.loads(body)
            return 200, {}
        if uuid not in known:
            return 404, {}
        if method == "DELETE":
            del known[uuid]
            return 200, {}
        return 200, self._status() if verifier else known[uuid]

    def _status(self) -> dict:
        return {
            "operational_state": self.state,
            "attestation_count": self.count,
            "last_event_id": self.event or None,
            "severity_level": 6 if self.event else None,
            "hash_alg": "sha256",
            "enc_alg": "rsa",
            "sign_alg": "rsassa",
            "ip": "127.0.0.1",
            "port": 1,
        }

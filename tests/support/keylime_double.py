# SPDX-License-Identifier: Apache-2.0
"""A Keylime verifier and registrar out of recordings of real ones, for machines without PyPI.

    with KeylimeDouble(Pki(folder), "7.14.3") as keylime:      # or "6.3.1"
        keylime.register(uuid, ak=…, port=…)                   # what an agent would do
        keylime.verdicts[uuid] = "failed"                      # what the verifier finds: a status recording
        libattest.Keylime(verifier=keylime.verifier, registrar=keylime.registrar, …)

What it answers was recorded (tests/vectors/keylime, made by tests/system/keylime/record.py); which
recording it takes is decided here. It attests nobody.
"""

import base64
import copy
import json
import pathlib
import ssl
import time

from tls_server import TlsHandler, TlsServer

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "keylime"
RECORDED_UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
VERSIONS = {"7.14.3": {"1.0", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"}, "6.3.1": {"1.0", "2.0"}}


class KeylimeDouble:
    """`pki` is fault_server's: its client may ask, its "server" certificate is shown."""

    def __init__(self, pki, version: str = "7.14.3", certificate: str = "server") -> None:
        self.become(version)
        self.registered: dict[str, dict] = {}
        self.added: dict[str, dict] = {}  # uuid -> the body of its POST
        self.added_at: dict[str, float] = {}
        self.policies: dict[str, str] = {}  # stored runtime policies (7.14.3)
        self.verdicts: dict[str, str] = {}  # uuid -> trusted, failed, lost, not-reached, asked-in-vain, start
        self.pending = 0.5  # seconds in state 1 before the verdict
        self.requests: list[str] = []
        self.delay = 0.0  # before each answer
        self.broken: int | None = None  # this HTTP status to everything
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.folder / f"{certificate}.crt", pki.folder / f"{certificate}.key")
        context.load_verify_locations(pki.folder / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self._servers = [self._server(context, self._verifier), self._server(context, self._registrar)]

    def become(self, version: str) -> None:
        """Another release, in place: an upgrade, or the way back."""
        self.version = version
        self.recordings = {
            path.stem: json.loads(path.read_text()) for path in (VECTORS / version).glob("*.json")
        }

    @property
    def verifier(self) -> str:
        return f"127.0.0.1:{self._servers[0].port}"

    @property
    def registrar(self) -> str:
        return f"127.0.0.1:{self._servers[1].port}"

    def register(
        self,
        uuid: str,
        *,
        ak: bytes,
        ek: bytes = b"",
        ek_certificate: bytes = b"",
        certificate: str | None = None,
        ip: str = "127.0.0.1",
        port: int = 9002,
    ) -> None:
        text = {"aik_tpm": ak, "ek_tpm": ek, "ekcert": ek_certificate}
        record = {name: base64.b64encode(value).decode() for name, value in text.items()}
        self.registered[uuid] = record | {"mtls_cert": certificate, "ip": ip, "port": port}

    def __enter__(self) -> "KeylimeDouble":
        for server in self._servers:
            server.start()
        return self

    def __exit__(self, *_) -> None:
        for server in self._servers:
            server.stop()

    def _server(self, context: ssl.SSLContext, answer) -> TlsServer:
        double = self

        class Handler(TlsHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                double.requests.append(f"{self.command} {self.path}")
                time.sleep(double.delay)
                status, content_type, text = double.broken, "", b""
                if status is None:
                    status, content_type, text = answer(self.command, self.path, body)
                self.send_response(status)
                if content_type:
                    self.send_header("Content-Type", content_type)
                if status != 204:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_DELETE = do_GET

        return TlsServer(context, Handler)

    def _recorded(self, name: str, uuid: str = RECORDED_UUID, results: dict | None = None):
        """A recording, of another agent, with some of its results replaced."""
        one = copy.deepcopy(self.recordings[name])
        if results is not None:
            one["body"]["results"].update(results)
        text = b"" if one["body"] is None else json.dumps(one["body"]).encode()
        return one["status"], one["content_type"], text.replace(RECORDED_UUID.encode(), uuid.encode())

    def _agents(self, path: str) -> str | None:
        """The id in /vX/agents/ID; "" for the list; None for another path or version."""
        parts = path.split("/")
        known = len(parts) == 4 and parts[1].removeprefix("v") in VERSIONS[self.version]
        return parts[3] if known and parts[2] == "agents" else None

    def _registrar(self, method: str, path: str, _body: bytes):
        if path == "/version":
            return self._recorded("registrar-version")
        uuid = self._agents(path)
        if uuid is None:
            return self._recorded("registrar-unsupported")
        if uuid == "":
            return self._recorded("registrar-list", results={"uuids": list(self.registered)})
        if uuid not in self.registered:
            return self._recorded("registrar-unknown", uuid)
        if method == "DELETE":
            del self.registered[uuid]
            return self._recorded("registrar-delete", uuid)
        return self._recorded("lookup", uuid, self.registered[uuid])

    def _verifier(self, method: str, path: str, body: bytes):
        if path == "/version":
            return self._recorded("verifier-version")
        parts = path.split("/")
        if len(parts) == 4 and parts[1:3] == ["v2.6", "allowlists"] and self.version == "7.14.3":
            return self._policy(method, parts[3], body)
        uuid = self._agents(path)
        if uuid is None:
            return self._recorded("registrar-unsupported")
        if uuid == "":
            recorded = self.recordings["list"]["body"]["results"]["uuids"]
            nested = bool(recorded) and isinstance(recorded[0], list)
            return self._recorded("list", results={"uuids": [[u] if nested else u for u in self.added]})
        if method == "POST":
            return self._add(uuid, body)
        if uuid not in self.added:
            return self._recorded("delete-unknown" if method == "DELETE" else "status-unknown", uuid)
        if method == "DELETE":
            del self.added[uuid]
            return self._recorded("delete", uuid)
        started = time.monotonic() - self.added_at[uuid] >= self.pending
        return self._recorded("status-" + (self.verdicts.get(uuid, "trusted") if started else "start"), uuid)

    def _policy(self, method: str, name: str, body: bytes):
        if method == "POST" and name in self.policies:
            return self._recorded("policy-create-again")
        if method == "POST":
            self.policies[name] = base64.b64decode(json.loads(body)["runtime_policy"]).decode()
            return self._recorded("policy-create")
        if name == "":
            return self._recorded("policy-list", results={"runtimepolicy names": list(self.policies)})
        if name not in self.policies:
            return self._recorded("policy-unknown")
        if method == "DELETE":
            del self.policies[name]
            return self._recorded("policy-delete")
        policy = {"name": name, "runtime_policy": self.policies[name]}
        return self._recorded("policy-read", results=policy)

    def _add(self, uuid: str, body: bytes):
        if uuid in self.added:
            return self._recorded("add-again", uuid)
        asked = json.loads(body)
        if "tpm_policy" not in asked:
            return self._recorded("add-malformed", uuid)
        self.added[uuid] = asked
        self.added_at[uuid] = time.monotonic()
        return self._recorded("add", uuid)

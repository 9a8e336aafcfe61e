# SPDX-License-Identifier: Apache-2.0
"""A deploy ramdisk: as much of ironic-python-agent as real AgentDeploy asks for, on a software TPM.

Speaks the protocol of bindings/openstack/ipa/README.md. It heartbeats while start() to stop(), and
serves the image that is to be deployed, too.
"""

import base64
import contextlib
import hashlib
import http.server
import json
import struct
import threading
import time
import urllib.error
import urllib.request

IMAGE = b"an image"
VERSION = "1.82"


class FakeIpa:
    """One ramdisk on one node. The knobs may be turned while it runs."""

    def __init__(self, ironic_url: str, node: str, tpm, ima_entries: dict[str, bytes]) -> None:
        self.url, self.node, self.tpm = ironic_url, node, tpm
        self.commands: list[dict] = []
        self.asked: list[str] = []
        self.ima = b""
        self.launch_log: bytes | None = None
        self.identity_of = None  # knob: another TPM, whose EK this one claims to have
        self.claims: dict[str, str | None] = {}  # knob: what get_identity says instead
        self.held: threading.Event | None = None  # knob: until then no challenge is answered
        self.guess: bytes | None = None  # knob: an answer to the challenge that needs no TPM
        self.failing: set[str] = set()  # knob: commands that fail
        self.agent_info: dict | None = None  # what get_keylime_info answers
        self.files: bytes | None = None  # what get_keylime_attestation_files answers
        self.root_uuid = "a-b-c"  # of the image's root file system, once it is written
        self.clean_steps: list[dict] = []
        self.deploy_steps = [
            {"interface": "deploy", "step": "erase_nothing", "priority": 0,
             "reboot_requested": False, "abortable": True}]  # fmt: skip
        self._token: str | None = None
        self._stop = threading.Event()
        self.measure("boot_aggregate", self._boot_aggregate())
        for path, digest in ima_entries.items():
            self.measure(path, digest)

    def __enter__(self) -> "FakeIpa":
        ipa = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path.startswith("/image"):
                    self._send(200, IMAGE, "application/octet-stream")
                else:
                    self._send(200, json.dumps({"commands": ipa.commands}).encode())

            do_HEAD = do_GET

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                command = json.loads(body)
                self._send(200, json.dumps(ipa._execute(command)).encode())

            def _send(self, status: int, text: bytes, kind: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.callback = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=self._heartbeat, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def image_url(self) -> str:
        return f"{self.callback}/image"

    def measure(self, path: str, digest: bytes) -> None:
        """A file is used: IMA's binary entry, and PCR 10."""
        hashed, name = b"sha256:\0" + digest, path.encode() + b"\0"
        data = struct.pack("<I", len(hashed)) + hashed + struct.pack("<I", len(name)) + name
        self.tpm.extend(10, data)
        self.ima += (
            struct.pack("<I", 10)
            + hashlib.sha1(data).digest()
            + struct.pack("<I", 6)
            + b"ima-ng"
            + struct.pack("<I", len(data))
            + data
        )

    def _boot_aggregate(self) -> bytes:
        self.tpm.tool("pcrread", "sha256:0,1,2,3,4,5,6,7,8,9", "-o", "pcrs.bin")
        return hashlib.sha256(self.tpm.file("pcrs.bin")).digest()

    def _heartbeat(self) -> None:
        while not self._stop.wait(0.5):
            try:
                if self._token is None:
                    found = self._request("GET", f"/v1/lookup?node_uuid={self.node}")
                    self._token = found["config"]["agent_token"]
                    self.commands.clear()
                self._request(
                    "POST",
                    f"/v1/heartbeat/{self.node}",
                    {
                        "callback_url": self.callback,
                        "agent_version": "9.0.0",
                        "agent_token": self._token,
                    },
                )
            except urllib.error.HTTPError as error:
                if error.code in (400, 401, 404):
                    self._token = None
            except OSError:
                pass

    def _request(self, method: str, path: str, body: object = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("X-OpenStack-Ironic-API-Version", VERSION)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _execute(self, command: dict) -> dict:
        name, params = command["name"], command["params"]
        short = name.partition(".")[2]
        self.asked.append(short)
        done = {
            "id": str(len(self.commands)),
            "command_name": short,
            "command_params": params,
            "command_status": "SUCCEEDED",
            "command_error": None,
            "command_result": None,
        }
        try:
            if short in self.failing:
                raise RuntimeError("there is no TPM")
            done["command_result"] = self._result(name, short, params)
        except (RuntimeError, KeyError) as error:
            done["command_status"] = "FAILED"
            done["command_error"] = {
                "type": "AttestationError", "code": 500, "message": "Attestation failed",
                "details": str(error)}  # fmt: skip
        self.commands.append(done)
        return done

    def _result(self, name: str, short: str, params: dict) -> dict:
        version = {"generic": "1"}
        if name == "clean.get_clean_steps":
            return {"clean_steps": {"G": self.clean_steps}, "hardware_manager_version": version}
        if name == "deploy.get_deploy_steps":
            return {"deploy_steps": {"G": self.deploy_steps}, "hardware_manager_version": version}
        if name == "clean.execute_clean_step":
            return {"clean_step": params["step"], "clean_result": None}
        if name == "deploy.execute_deploy_step":
            return {"deploy_step": params["step"], "deploy_result": None}
        if name == "standby.get_partition_uuids":
            return {"root uuid": self.root_uuid, "partitions": {"root": "/dev/sda2"}}
        if name.startswith("attestation."):
            return getattr(self, f"_{short}")(**params)
        return {"result": "ok", "root uuid": self.root_uuid}

    # The extension `attestation`.

    def _get_identity(self, ek: str | None = None) -> dict:
        claimed = self.identity_of or self.tpm
        return {
            "ek_template": "L-1",
            "ek_public": _text(claimed.ek),
            "ek_certificate": _text(claimed.ek_certificate),
            "ak_public": _text(self.tpm.ak),
            **self.claims,
        }

    def _activate_credential(self, credential: str, secret: str) -> dict:
        if self.held is not None:
            self.held.wait(20)
        if self.guess is not None:
            return {"answer": _text(self.guess)}
        # The file of tpm2-tools: magic, version, both structures.
        blob = struct.pack(">II", 0xBADCC0DE, 1)
        blob += base64.b64decode(credential) + base64.b64decode(secret)
        return {"answer": _text(self.tpm.activate(blob))}

    def _quote(self, nonce: str, pcrs: list[int], bank: str, ima_entry: int) -> dict:
        selection = f"{bank}:{','.join(map(str, pcrs))}"
        with self.tpm._lock, contextlib.ExitStack():
            self.tpm.tool("quote", "-c", "0x81010002", "-l", selection, "-q",
                          base64.b64decode(nonce).hex(), "-g", bank, "-m", "q.msg", "-s", "q.sig",
                          "-o", "q.pcrs", "-F", "values")  # fmt: skip
            attest, signature, values = (self.tpm.file(f"q.{p}") for p in ("msg", "sig", "pcrs"))
        return {
            "quote": _text(attest),
            "signature": _text(signature),
            "pcrs": _text(values),
            "ak_public": _text(self.tpm.ak),
            "eventlog": None,
            "ima": _text(self.ima),
            "ima_entry": 0,
            "launchlog": self.launch_log and _text(self.launch_log),
        }

    def _get_keylime_info(self) -> dict:
        nothing = dict.fromkeys(("keylime_agent_uuid", "keylime_agent_ip", "keylime_agent_port"))
        return self.agent_info or nothing

    def _get_keylime_attestation_files(self) -> dict:
        return {"file_list": _text(self.files or b"")}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def wait_until(what, timeout: float = 90.0) -> None:
    deadline = time.monotonic() + timeout
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)

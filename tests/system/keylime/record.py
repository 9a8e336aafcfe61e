#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records what a real Keylime answers, scrubbed, for tests/support/keylime_double.py.

usage: record.py VERSION ENVIRONMENTS OUT     (below OUT: VERSION/NAME.json)
"""

import base64
import hashlib
import http.client
import json
import pathlib
import shutil
import ssl
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from keylime_agent import KeylimeAgent, Tpm  # noqa: E402
from keylime_service import OLDEST, KeylimeService  # noqa: E402

UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
# Of this run only, or long: the double puts in what it has of the agent.
SCRUBBED = {
    "v": "c2NydWJiZWQ=",
    **dict.fromkeys(("aik_tpm", "ek_tpm", "ekcert", "mtls_cert", "ak_tpm"), ""),
    **dict.fromkeys(("port", "verifier_port", "last_received_quote", "last_successful_attestation"), 0),
}


def scrub(value: object) -> object:
    if isinstance(value, dict):
        return {k: SCRUBBED[k] if k in SCRUBBED and v is not None else scrub(v) for k, v in value.items()}
    return [scrub(one) for one in value] if isinstance(value, list) else value


class Recorder:
    def __init__(self, service: KeylimeService, folder: pathlib.Path) -> None:
        self.service = service
        self.folder = folder
        self.context = ssl.create_default_context(cafile=service.cv_ca / "cacert.crt")
        self.context.check_hostname = False
        self.context.load_cert_chain(
            service.cv_ca / "client-cert.crt", service.cv_ca / "client-private.pem"
        )

    def ask(self, port: int, method: str, path: str, body: object = None) -> tuple[int, str, bytes]:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=self.context, timeout=30)
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers.get("Content-Type", ""), text

    def record(self, name: str, port: int, method: str, path: str, body: object = None) -> object:
        status, content_type, text = self.ask(port, method, path, body)
        try:
            answer = scrub(json.loads(text)) if text else None
        except ValueError:
            answer = text.decode(errors="replace")
        exchange = {"method": method, "path": path, "status": status, "content_type": content_type}
        (self.folder / f"{name}.json").write_text(json.dumps(exchange | {"body": answer}, indent=1) + "\n")
        return answer


def add_body(agent: KeylimeAgent, record: dict, api: str, policy: bytes) -> dict:
    """The same as libattest's, but written apart from it."""
    digests = json.loads(policy)["digests"]
    legacy = {"meta": {"version": 5}, "release": 0, "hashes": digests, "keyrings": {}, "ima-buf": {}}
    legacy["ima"] = {"ignored_keyrings": [], "log_hash_alg": "sha1"}
    return {
        "cloudagent_ip": agent.address,
        "cloudagent_port": agent.port,
        "verifier_ip": "127.0.0.1",
        "verifier_port": 1,
        "v": base64.b64encode(bytes(32)).decode(),
        "supported_version": api,
        "ak_tpm": record["aik_tpm"],
        "mtls_cert": record["mtls_cert"],
        "tpm_policy": json.dumps({"mask": "0x400"}),
        "vtpm_policy": json.dumps({"mask": "0x0"}),
        "allowlist": json.dumps({"allowlist": legacy, "exclude": []}),
        "runtime_policy": base64.b64encode(policy).decode(),
        "runtime_policy_name": "",
        "runtime_policy_key": "",
        "mb_refstate": "null",
        "mb_policy": None,
        "mb_policy_name": None,
        "ima_sign_verification_keys": "[]",
        "metadata": "{}",
        "revocation_key": "",
        "accept_tpm_hash_algs": ["sha256"],
        "accept_tpm_encryption_algs": ["rsa"],
        "accept_tpm_signing_algs": ["rsassa"],
    }


def record_all(recorder: Recorder, agent: KeylimeAgent, oldest: bool) -> None:
    service = recorder.service
    verifier, registrar = service.verifier_port, service.registrar_port
    api = "2.0" if oldest else "2.6"
    one, every = f"/v{api}/agents/{UUID}", f"/v{api}/agents/"

    def status(name: str, wanted: int, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = json.loads(recorder.ask(verifier, "GET", one)[2])["results"]["operational_state"]
            if state == wanted:
                recorder.record(name, verifier, "GET", one)
                return
            time.sleep(0.05)
        raise RuntimeError(f"{name}: state {wanted} did not come")

    recorder.record("verifier-version", verifier, "GET", "/version")
    recorder.record("registrar-version", registrar, "GET", "/version")
    recorder.record("registrar-unsupported", registrar, "GET", "/v9.9/agents/")
    recorder.record("registrar-unknown", registrar, "GET", one)
    recorder.record("registrar-list-empty", registrar, "GET", every)
    recorder.record("registrar-delete-unknown", registrar, "DELETE", one)
    recorder.record("status-unknown", verifier, "GET", one)
    recorder.record("list-empty", verifier, "GET", every)
    recorder.record("delete-unknown", verifier, "DELETE", one)
    agent.register("127.0.0.1", service.agents_port)
    agent.measure("/usr/bin/ls", hashlib.sha256(b"ls").digest())
    recorder.record("lookup", registrar, "GET", one)
    recorder.record("registrar-list", registrar, "GET", every)
    record = json.loads(recorder.ask(registrar, "GET", one)[2])["results"]
    policy = agent.runtime_policy()
    body = add_body(agent, record, "2.0" if oldest else "2.1", policy)

    # An agent that does not answer: state 3 all the while, then failed.
    agent.answer = (500, b"")
    recorder.ask(verifier, "POST", one, body)
    status("status-asked-in-vain", 3)
    status("status-not-reached", 7, 60)
    recorder.record("delete", verifier, "DELETE", one)
    agent.answer = None

    agent.delay = 1.5
    recorder.record("add", verifier, "POST", one, body)
    status("status-start", 1)
    agent.delay = 0
    recorder.record("add-again", verifier, "POST", one, body)
    recorder.record("list", verifier, "GET", every)
    status("status-trusted", 3)
    # Neither release ever shows state 4: 3 is stored until the verifier gives up.
    agent.answer = (500, b"")
    status("status-lost", 7, 60)
    agent.answer = None
    recorder.ask(verifier, "DELETE", one)
    recorder.ask(verifier, "POST", one, body)
    time.sleep(3)
    agent.measure("/usr/bin/nc", hashlib.sha256(b"nc").digest())
    status("status-failed", 9)
    recorder.record("delete", verifier, "DELETE", one)
    bad = dict(body)
    del bad["tpm_policy"]
    recorder.record("add-malformed", verifier, "POST", one, bad)
    if not oldest:
        stored = {"runtime_policy": base64.b64encode(policy).decode(), "runtime_policy_key": "", "tpm_policy": ""}
        recorder.record("policy-create", verifier, "POST", f"/v{api}/allowlists/golden", stored)
        recorder.record("policy-create-again", verifier, "POST", f"/v{api}/allowlists/golden", stored)
        recorder.record("policy-list", verifier, "GET", f"/v{api}/allowlists/")
        recorder.record("policy-read", verifier, "GET", f"/v{api}/allowlists/golden")
        recorder.record("policy-delete", verifier, "DELETE", f"/v{api}/allowlists/golden")
        recorder.record("policy-unknown", verifier, "GET", f"/v{api}/allowlists/golden")
    recorder.record("registrar-delete", registrar, "DELETE", one)


def main() -> None:
    version, environments, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder = out / version
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="keylime-record-"))
    try:
        with (
            KeylimeService(version, environments, work) as service,
            Tpm(work / "tpm") as tpm,
            KeylimeAgent(UUID, tpm, work / "agent", client_ca=service.pem("cacert.crt"),
                         api="2.0" if version == OLDEST else "2.1") as agent,
        ):  # fmt: skip
            record_all(Recorder(service, folder), agent, version == OLDEST)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()

# SPDX-License-Identifier: Apache-2.0
"""The extension in the real ironic-python-agent: its own API over HTTP, a software TPM behind it.

agent_test.sh sets the environment: LIBATTEST_* as for the agent, and TPM2TOOLS_TCTI for tpm2-tools,
which play the verifier.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import http.client
import io
import json
import logging
import os
import pathlib
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
import unittest
from typing import Any

from ironic_python_agent import agent as ipa
from oslo_config import cfg

from libattest_ipa import keylime

TOKEN = "a" * 64
NONCE = bytes(range(20))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def measurement(path: bytes) -> bytes:
    """A record of the binary list, template ima-ng."""
    fields = [b"sha256:\0" + hashlib.sha256(path).digest(), path + b"\0"]
    data = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
    name = b"ima-ng"
    return b"".join(
        [
            (10).to_bytes(4, "little"),
            hashlib.sha1(data).digest(),
            len(name).to_bytes(4, "little"),
            name,
            len(data).to_bytes(4, "little"),
            data,
        ]
    )


def unpack(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def pack(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


class Agent:
    """ironic-python-agent's own objects, serving until stop()."""

    def __init__(self) -> None:
        cfg.CONF([], project="ironic-python-agent")
        self.port = free_port()
        host = ipa.Host("127.0.0.1", self.port)
        advertised = ipa.Host("192.0.2.7", self.port)
        self.agent = ipa.IronicPythonAgent(None, advertised, host, 1, 1, None, 1, 1, True, TOKEN)
        self.thread = threading.Thread(target=self.agent.serve_ipa_api)
        self.thread.start()
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the agent's API does not listen")

    def stop(self) -> None:
        self.agent.serve_api = False
        self.thread.join()

    def post(
        self, body: dict[str, Any], token: str = TOKEN, wait: bool = True
    ) -> tuple[int, dict[str, Any]]:
        return self.request(
            "POST", "/v1/commands/", f"&wait={'true' if wait else 'false'}", json.dumps(body), token
        )

    def request(
        self, method: str, path: str, query: str = "", body: str | None = None, token: str = TOKEN
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(
            method, f"{path}?agent_token={token}{query}", body, {"Content-Type": "application/json"}
        )
        with contextlib.closing(connection):
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        status, answer = self.post({"name": f"attestation.{command}", "params": parameters})
        assert (status, answer["command_status"]) == (200, "SUCCEEDED"), answer
        assert answer["command_error"] is None
        result: dict[str, Any] = answer["command_result"]
        return result

    def fails(self, command: str, **parameters: Any) -> str:
        status, answer = self.post({"name": f"attestation.{command}", "params": parameters})
        assert (status, answer["command_status"], answer["command_result"]) == (
            200,
            "FAILED",
            None,
        ), answer
        error = answer["command_error"]
        details = str(error.pop("details"))
        assert error == {
            "type": "AttestationError",
            "code": 500,
            "message": "Attestation failed",
        }, error
        assert len(details) <= 500 and "\n" not in details
        return details

    def refuses(self, command: str, **parameters: Any) -> str:
        status, answer = self.post({"name": f"attestation.{command}", "params": parameters})
        assert (status, answer["faultcode"]) == (400, "Client"), answer
        return str(answer["faultstring"])


class AgentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.agent = Agent()
        cls.addClassCleanup(cls.agent.stop)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        os.environ["LIBATTEST_STATE"] = str(self.folder / "state")

    def tpm2(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            arguments, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
        )

    def write(self, **files: bytes) -> None:
        for name, content in files.items():
            (self.folder / name).write_bytes(content)

    def challenge(self, identity: dict[str, Any], secret: bytes) -> dict[str, str]:
        """TPM2_MakeCredential by tpm2-tools, in software."""
        ak = unpack(identity["ak_public"])
        name = "000b" + hashlib.sha256(ak[2:]).hexdigest()
        self.write(ek=unpack(identity["ek_public"]), secret=secret)
        made = self.tpm2(
            "tpm2_makecredential",
            "-Q",
            "-T",
            "none",
            "-u",
            "ek",
            "-s",
            "secret",
            "-n",
            name,
            "-o",
            "blob",
        )
        self.assertEqual(made.returncode, 0, made.stderr)
        blob = (self.folder / "blob").read_bytes()
        self.assertEqual(blob[:8].hex(), "badcc0de00000001")
        end = 8 + 2 + int.from_bytes(blob[8:10], "big")
        return {"credential": pack(blob[8:end]), "secret": pack(blob[end:])}

    def good_quote(self, quote: dict[str, Any], nonce: bytes) -> bool:
        self.write(
            **{name: unpack(quote[name]) for name in ("ak_public", "quote", "signature", "pcrs")}
        )
        checked = self.tpm2(
            "tpm2_checkquote",
            "-Q",
            "-u",
            "ak_public",
            "-m",
            "quote",
            "-s",
            "signature",
            "-f",
            "pcrs",
            "-q",
            nonce.hex(),
        )
        return checked.returncode == 0

    def test_the_agent_loads_the_extension_with_its_commands(self) -> None:
        extension = self.agent.agent.get_extension("attestation")
        self.assertEqual(
            set(extension.command_map),
            {
                "get_identity",
                "activate_credential",
                "quote",
                "get_keylime_info",
                "get_keylime_attestation_files",
            },
        )

    def test_a_node_is_bound_to_its_tpm_and_quotes(self) -> None:
        identity = self.agent.call("get_identity")
        self.assertEqual(set(identity), {"ek_template", "ek_public", "ek_certificate", "ak_public"})
        self.assertEqual(identity["ek_template"], "L-1")
        secret = os.urandom(32)
        answer = self.agent.call("activate_credential", **self.challenge(identity, secret))
        self.assertEqual(set(answer), {"answer"})
        self.assertEqual(unpack(answer["answer"]), secret)
        quote = self.agent.call("quote", nonce=pack(NONCE), pcrs=[0, 7, 10])
        self.assertEqual(
            set(quote),
            {"ak_public", "quote", "signature", "pcrs", "eventlog", "ima", "ima_entry", "launchlog"},
        )
        self.assertEqual(quote["ak_public"], identity["ak_public"])
        self.assertTrue(self.good_quote(quote, NONCE))
        self.assertFalse(self.good_quote(quote, NONCE + b"x"))
        self.assertEqual(self.agent.call("get_identity"), identity)

    def test_each_template_gives_a_key_that_answers(self) -> None:
        for ek in ("L-2", "H-1", "H-2", "H-3"):
            with self.subTest(ek=ek):
                identity = self.agent.call("get_identity", ek=ek)
                self.assertEqual(identity["ek_template"], ek)
                secret = os.urandom(32)
                answer = self.agent.call("activate_credential", **self.challenge(identity, secret))
                self.assertEqual(unpack(answer["answer"]), secret)

    def test_a_certificate_is_of_the_key(self) -> None:
        for ek in ("L-1", "H-3"):  # the software TPM's certificates
            identity = self.agent.call("get_identity", ek=ek)
            self.write(ek=unpack(identity["ek_public"]), crt=unpack(identity["ek_certificate"]))
            key = self.tpm2("tpm2_print", "-t", "TPM2B_PUBLIC", "-f", "pem", "ek").stdout
            certified = self.tpm2(
                "openssl", "x509", "-inform", "der", "-in", "crt", "-noout", "-pubkey"
            ).stdout
            self.assertTrue(key.startswith(b"-----BEGIN PUBLIC KEY-----"))
            self.assertEqual(key, certified)
        self.assertIsNone(self.agent.call("get_identity", ek="L-2")["ek_certificate"])

    def test_the_logs_come_with_the_quote(self) -> None:
        entries = [measurement(b"/bin/%d" % i) for i in range(4)]
        self.write(ima=b"".join(entries), eventlog=b"an event log")
        os.environ.update(
            LIBATTEST_IMA=str(self.folder / "ima"), LIBATTEST_EVENTLOG=str(self.folder / "eventlog")
        )
        self.addCleanup(
            lambda: [os.environ.pop(name) for name in ("LIBATTEST_IMA", "LIBATTEST_EVENTLOG")]
        )
        self.agent.call("get_identity")
        for entry in range(5):
            quote = self.agent.call("quote", nonce=pack(NONCE), ima_entry=entry)
            self.assertEqual(unpack(quote["ima"]), b"".join(entries[entry:]))
            self.assertEqual(quote["ima_entry"], entry)
            self.assertEqual(unpack(quote["eventlog"]), b"an event log")
        self.assertIn(
            "the list has 4 entries", self.agent.fails("quote", nonce=pack(NONCE), ima_entry=5)
        )
        self.write(ima=entries[0][:-1])
        self.assertIn("cut short", self.agent.fails("quote", nonce=pack(NONCE), ima_entry=1))

    def test_what_the_node_cannot_do_is_a_failed_command(self) -> None:
        self.assertIn("state", self.agent.fails("quote", nonce=pack(NONCE)))
        identity = self.agent.call("get_identity")
        challenge = self.challenge(identity, b"for the first key")
        self.agent.call("get_identity", ek="L-2")  # another AK
        self.assertIn("is it for this TPM", self.agent.fails("activate_credential", **challenge))
        self.assertIn(
            "no TPM2B_ID_OBJECT",
            self.agent.fails("activate_credential", credential="AAAA", secret="AAAA"),
        )
        self.assertIn(
            "no such PCR or bank", self.agent.fails("quote", nonce=pack(NONCE), bank="sha512")
        )

    def test_wrong_parameters_are_refused_before_anything_runs(self) -> None:
        self.assertIn("there is no parameter", self.agent.refuses("get_identity", frob=1))
        self.assertIn("ek must be one of", self.agent.refuses("get_identity", ek="L-9"))
        self.assertIn("nonce must be 16 to 64 bytes", self.agent.refuses("quote"))
        self.assertIn(
            "nonce must be 16 to 64 bytes", self.agent.refuses("quote", nonce=NONCE.hex() + "!")
        )
        self.assertIn("pcrs must be", self.agent.refuses("quote", nonce=pack(NONCE), pcrs=[24]))
        self.assertIn(
            "credential must be", self.agent.refuses("activate_credential", secret="AAAA")
        )
        self.assertFalse((self.folder / "state").exists())

    def test_only_the_conductor_may_ask(self) -> None:
        status, _ = self.agent.post(
            {"name": "attestation.get_identity", "params": {}}, token="b" * 64
        )
        self.assertEqual(status, 401)

    def test_one_command_at_a_time(self) -> None:
        os.environ["LIBATTEST_COLLECT"], was = (
            str(self.folder / "slow"),
            os.environ["LIBATTEST_COLLECT"],
        )
        self.addCleanup(os.environ.update, LIBATTEST_COLLECT=was)
        self.write(slow=b"#!/bin/sh\nsleep 2\necho late >&2\nexit 2\n")
        (self.folder / "slow").chmod(0o755)
        status, started = self.agent.post(
            {"name": "attestation.get_identity", "params": {}}, wait=False
        )
        self.assertEqual((status, started["command_status"]), (200, "RUNNING"))
        status, refused = self.agent.post(
            {"name": "attestation.get_identity", "params": {}}, wait=False
        )
        self.assertEqual((status, refused["faultcode"]), (409, "Client"))
        self.assertIn("Agent is busy", refused["faultstring"])
        status, ended = self.agent.request("GET", f"/v1/commands/{started['id']}", "&wait=true")
        self.assertEqual(ended["command_error"]["details"], "late")

    def test_results_are_not_written_to_the_agents_log(self) -> None:
        with self.assertLogs("ironic_python_agent", logging.DEBUG) as logs:
            identity = self.agent.call("get_identity")
            secret = os.urandom(32)
            self.agent.call("activate_credential", **self.challenge(identity, secret))
        text = "\n".join(logs.output)
        self.assertIn("answer: 44 characters", text)
        self.assertNotIn(pack(secret), text)
        self.assertNotIn(identity["ak_public"], text)

    def test_keylimes_agent_and_files(self) -> None:
        keylime.ROOT, was = self.folder, keylime.ROOT
        self.addCleanup(setattr, keylime, "ROOT", was)
        nothing = {"keylime_agent_uuid": None, "keylime_agent_ip": None, "keylime_agent_port": None}
        self.assertEqual(self.agent.call("get_keylime_info"), nothing)
        self.assertIn(
            "allowlist.txt: No such file", self.agent.fails("get_keylime_attestation_files")
        )

        uuid = hashlib.sha256(b"an EK").hexdigest()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            (self.folder / "etc/keylime").mkdir(parents=True)
            (self.folder / "etc/keylime/agent.conf").write_text(
                f'[agent]\nuuid = "{uuid}"\nip = "0.0.0.0"\nport = {port}\n'
            )
            self.assertEqual(
                self.agent.call("get_keylime_info"),
                {
                    "keylime_agent_uuid": uuid,
                    "keylime_agent_ip": "192.0.2.7",
                    "keylime_agent_port": port,
                },
            )
        (self.folder / "root").mkdir()
        (self.folder / "root/allowlist.txt").write_bytes(b"00 boot_aggregate\n")
        (self.folder / "root/checksum.txt").write_bytes(b"11  allowlist.txt\n")
        packed = unpack(self.agent.call("get_keylime_attestation_files")["file_list"])
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
            self.assertEqual(tar.getnames(), ["root/allowlist.txt", "root/checksum.txt"])
            allowlist = tar.extractfile("root/allowlist.txt")
            assert allowlist is not None
            self.assertEqual(allowlist.read(), b"00 boot_aggregate\n")


if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())
    unittest.main()

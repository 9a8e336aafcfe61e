# SPDX-License-Identifier: Apache-2.0
"""examples/oat-server from end to end: nonces that it made, quotes of software TPMs over them, and an agent.

usage: oat_server_test.py COLLECT    (libattest on PYTHONPATH)
Exit 77: this machine lacks what a software TPM needs.
"""

import contextlib
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import libattest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
COLLECT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(SOURCE / "tests" / "support"))
from fault_server import Pki  # noqa: E402
from keylime_agent import KeylimeAgent, Tpm, missing_programs  # noqa: E402
from keylime_double import KeylimeDouble  # noqa: E402
from oat_clients import nova_filter, ovirt_engine  # noqa: E402

PROGRAM = SOURCE / "examples" / "oat-server"
UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
LS = bytes([0x11]) * 32


class OatServer(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.pki = Pki(self.folder)
        for name, text in (("nonce.key", os.urandom(32).hex()), ("blob", "i-am-openstack")):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o600)
        self.tpm = self.enterContext(Tpm(self.folder / "tpm"))
        self.settings = [
            "[server]",
            'listen = "127.0.0.1:0"',
            'certificate = "server.crt"',
            'key = "server.key"',
            'nonce_key_file = "nonce.key"',
            'auth_blob_file = "blob"',
            "timeout = 5",
        ]

    # The server.

    def run_program(self, *arguments: str) -> subprocess.CompletedProcess:
        (self.folder / "server.toml").write_text("\n".join(self.settings) + "\n")
        command = [sys.executable, "-B", str(PROGRAM), str(self.folder / "server.toml"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    @contextlib.contextmanager
    def serving(self):
        (self.folder / "server.toml").write_text("\n".join(self.settings) + "\n")
        command = [sys.executable, "-B", str(PROGRAM), str(self.folder / "server.toml")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                line = process.stderr.readline()
                self.assertIn("listening on", line)
                self.port = int(line.split("'127.0.0.1', ")[1].split(")")[0])
                yield
                process.send_signal(signal.SIGTERM)
                _, self.log = process.communicate(timeout=30)
                self.assertEqual(0, process.returncode, self.log)
                self.assertNotIn("Traceback", self.log)
            finally:
                process.kill()

    def polled(self, name: str):
        """(level, vtime), the same for Nova's old filter and for oVirt, where that can ask."""
        level, when = nova_filter(self.port, self.folder / "ca.crt", [name], blob="i-am-openstack")[name]
        self.assertEqual({}, ovirt_engine(self.port, self.folder / "ca.crt", [name]))  # it has no blob
        return level, when.replace(tzinfo=datetime.UTC).timestamp()

    # A host whose evidence is fetched.

    def simulate(self, action: str, *files: str) -> None:
        script = SOURCE / "examples" / "quickstart" / "simulated_node.py"
        options = ["--tpm", str(self.tpm.folder / "socket"), "--logs", str(self.folder / "logs")]
        subprocess.run([sys.executable, "-B", str(script), action, *files, *options], check=True)

    def collect(self, nonce: str, name: str) -> pathlib.Path:
        output = self.folder / name
        logs = ["--eventlog", self.folder / "logs" / "eventlog.bin", "--ima", self.folder / "logs" / "ima.bin"]
        command = [COLLECT, "--tcti", f"swtpm:path={self.tpm.folder / 'socket'}", "--ak-handle", "0x81010005",
                   "--nonce", nonce, "--output", output, *logs]  # fmt: skip
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        return output

    def fetch(self, host: str, at: str) -> None:
        """What README.md has cron do, less than once a second: a nonce is of a second."""
        time.sleep(1.1)
        done = self.run_program("--nonce", host)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        nonce = done.stdout.strip()
        self.collect(nonce, f"{at}.{nonce}")
        (self.folder / f"{at}.new").symlink_to(f"{at}.{nonce}")
        (self.folder / f"{at}.new").replace(self.folder / at)

    def learn(self) -> str:
        """Writes the policy of the machine as it is, and returns its key's name."""
        golden = self.collect("ab" * 20, "golden")
        read = {path.name: path.read_bytes() for path in golden.iterdir()}
        evidence = libattest.Evidence(
            ak=read["ak.tss"],
            quote=(read["quote.msg"], read["quote.sig"], read["quote.pcrs"]),
            eventlog=read["eventlog.bin"],
            ima=read["ima.bin"],
        )
        policy, report = libattest.Policy.learn(evidence, nonce=bytes.fromhex("ab" * 20))
        self.assertIsNotNone(policy, report.findings)
        (self.folder / "policy.json").write_text(policy.to_json())
        return libattest.Key.load(read["ak.tss"]).name.hex()

    def add_host(self, name: str, *lines: str) -> None:
        self.settings += [f'[host."{name}"]', 'policy = "policy.json"', *lines]

    def test_a_host_whose_evidence_is_fetched(self):
        self.simulate("boot")
        name = self.learn()
        self.add_host("one.example", 'evidence = "one"', f'ak_name = "{name}"', "max_age = 100")
        self.add_host("two.example", 'evidence = "one"', f'ak_name = "{name[:-2]}ff"')
        with self.serving():
            self.assertEqual("unknown", self.polled("one.example")[0])
            before = int(time.time())
            self.fetch("one.example", "one")
            level, when = self.polled("one.example")
            self.assertEqual("trusted", level)
            self.assertTrue(before <= when <= time.time())
            # Another host's name does not make its evidence another's.
            self.assertEqual("unknown", self.polled("two.example")[0])
            # Who did not ask here was given a nonce by somebody else: the golden evidence is one such.
            (self.folder / "one").unlink()
            (self.folder / "one").symlink_to("golden")
            self.assertEqual("unknown", self.polled("one.example")[0])
            (self.folder / "one").unlink()
            foreign = self.folder / "ncat"
            foreign.write_text("#!/bin/sh\n")
            self.simulate("run", str(foreign))
            self.fetch("one.example", "one")
            self.assertEqual("untrusted", self.polled("one.example")[0])
        self.assertIn("one.example: untrusted: ", self.log)
        self.assertIn(str(foreign), self.log)
        # The nonce is sealed with this key: under another it is nobody's.
        (self.folder / "nonce.key").write_text("00" * 32)
        with self.serving():
            self.assertEqual("unknown", self.polled("one.example")[0])

    def test_evidence_grows_old(self):
        self.simulate("boot")
        self.add_host("one.example", 'evidence = "one"', f'ak_name = "{self.learn()}"', "max_age = 4")
        with self.serving():
            self.fetch("one.example", "one")
            self.assertEqual("trusted", self.polled("one.example")[0])
            # As if it were new: its times are not what counts.
            time.sleep(5)
            for path in (self.folder / "one").iterdir():
                path.touch()
            self.assertEqual("unknown", self.polled("one.example")[0])
            self.fetch("one.example", "one")
            self.assertEqual("trusted", self.polled("one.example")[0])

    # A host that is asked.

    def test_a_host_with_an_agent(self):
        other_tpm = self.enterContext(Tpm(self.folder / "other"))
        keylime = self.enterContext(KeylimeDouble(self.pki))
        agent = self.enterContext(
            KeylimeAgent(UUID, self.tpm, self.folder / "agent", client_ca=self.pki.text("ca.crt"))
        )
        agent.measure("/usr/bin/ls", LS)
        policy = {"version": 1, "ima": {"runtime_policy": json.loads(agent.runtime_policy())}}
        (self.folder / "policy.json").write_text(json.dumps(policy))
        self.settings += ["[keylime]", f'registrar = "{keylime.registrar}"', 'ca = "ca.crt"', 'cert = "client.crt"',
                          'key = "client.key"']  # fmt: skip
        name = libattest.Key.load(self.tpm.ak).name.hex()
        self.add_host("agent.example", f'agent = "{UUID}"', f'ak_name = "{name}"', "reuse = 1")

        def register(tpm: Tpm) -> None:
            keylime.register(UUID, ak=tpm.ak, ek=tpm.ek, certificate=agent.certificate, port=agent.port)

        def later() -> str:
            time.sleep(1.1)
            return self.polled("agent.example")[0]

        with self.serving():
            self.assertEqual("unknown", self.polled("agent.example")[0])  # it has not registered
            register(self.tpm)
            before = time.time()
            self.assertEqual("trusted", later())
            level, when = self.polled("agent.example")
            self.assertEqual("trusted", level)
            self.assertTrue(before <= when + 0.001)
            quotes = sum("/quotes/" in path for path in agent.requests)
            self.polled("agent.example")
            self.assertEqual(quotes, sum("/quotes/" in path for path in agent.requests))
            agent.replay = True
            self.assertEqual("untrusted", later())
            agent.replay = False
            # The registrar is believed where the agent is, and not whose key it has.
            agent.tpm = other_tpm
            register(other_tpm)
            self.assertEqual("untrusted", later())
            agent.tpm = self.tpm
            register(self.tpm)
            self.assertEqual("trusted", later())
            agent.delay = 8
            self.assertEqual("timeout", later())
            agent.delay = 0
            agent.measure("/usr/bin/ncat", bytes(range(32)))
            time.sleep(8)  # the agent still has the question that it was slow with
            self.assertEqual("untrusted", later())
            agent.gone()
            self.assertEqual("unknown", later())
            agent.start()
        self.assertIn("/usr/bin/ncat", self.log)


if __name__ == "__main__":
    if missing_programs():
        print(f"skipped: {', '.join(missing_programs())} not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])

# SPDX-License-Identifier: Apache-2.0
"""The double of an OpenAttestation service (tests/support/oat_server.py) in a process of its own:
Nova's tests patch threads and sockets of theirs.

    with Service(folder) as service:
        service.say(n0="trusted"); service.fail("500")
        ...                                    # service.options(), service.asked()
"""

import json
import pathlib
import subprocess
import sys
import time

PKI = "pki"


class Service:
    """`folder` keeps the certificates, made once."""

    def __init__(self, folder: pathlib.Path, dialect: str = "2", certificate: str = "server") -> None:
        self.folder = pathlib.Path(folder)
        arguments = [sys.executable, __file__, str(self.folder), dialect, certificate]
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.port, self.api_url = self._read()

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def options(self) -> dict[str, object]:
        """Of [trusted_computing]."""
        return {
            "attestation_server": "127.0.0.1",
            "attestation_port": self.port,
            "attestation_server_ca_file": str(self.folder / PKI / "ca.crt"),
            "attestation_api_url": self.api_url,
        }

    def say(self, **levels: str) -> None:
        self._command({"hosts": levels})

    def fail(self, fault: str | None, redirect_to: str = "") -> None:
        self._command({"fault": fault, "redirect_to": redirect_to})

    def measured(self, **seconds_ago: float) -> None:
        """Dialects but 2, whose time is that of the request."""
        self._command({"times": {n: time.time() - s for n, s in seconds_ago.items()}})

    def asked(self) -> list[list[str]]:
        """The host list of each request until now."""
        return [request["hosts"] for request in self.seen()]

    def seen(self) -> list[dict]:
        return self._command({})

    def wait_for_requests(self, number: int, seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while len(self.seen()) < number:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(self.seen())} requests of {number}")
            time.sleep(0.05)

    def wait_for_next_request(self) -> None:
        """Until an answer has arrived that was asked for from now on."""
        # One may be under way already, and of the next the beginning is seen, not the end.
        self.wait_for_requests(len(self.seen()) + 2)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait(10)
            self._process.stdout.close()

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the attestation service has ended")
        return json.loads(line)

    def _command(self, command: dict):
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return self._read()


def main() -> None:
    from fault_server import Pki
    from oat_server import OatServer

    folder, dialect, certificate = pathlib.Path(sys.argv[1]) / PKI, *sys.argv[2:]
    if folder.exists():
        # Made by the first service of a run: a certificate takes longer than a test.
        pki = Pki.__new__(Pki)
        pki.folder = folder
    else:
        folder.mkdir(parents=True)
        pki = Pki(folder)
    with OatServer(pki, dialect, certificate) as server:
        print(json.dumps([server.port, server.api_url]), flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            server.hosts.update(command.get("hosts", {}))
            server.times.update(command.get("times", {}))
            if "fault" in command:
                server.fault, server.redirect_to = command["fault"], command["redirect_to"]
            seen = [
                {"path": one.path, "headers": one.headers, "hosts": one.hosts}
                for one in list(server.requests)
            ]
            print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()

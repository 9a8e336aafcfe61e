# SPDX-License-Identifier: Apache-2.0
"""Real placement on loopback, in a process of its own: sqlite, no Keystone.

with Placement(folder) as placement:
    placement.make("host1", "CUSTOM_OTHER"); placement.traits("host1"); placement.hang(); placement.go_on()
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

VERSION = "placement 1.39"

_SERVER = """
import os, socketserver, sys, wsgiref.simple_server as simple
os.environ["OS_PLACEMENT_CONFIG_DIR"], pipe = sys.argv[1:]
sys.argv = ["placement-api"]
from placement import wsgi

class Server(socketserver.ThreadingMixIn, simple.WSGIServer):
    daemon_threads = True

class Handler(simple.WSGIRequestHandler):
    def log_message(self, *_):
        pass

application = wsgi.init_application()
server = simple.make_server("127.0.0.1", 0, application, server_class=Server, handler_class=Handler)
os.write(int(pipe), b"%5d" % server.server_address[1])
server.serve_forever()
"""


class Placement:
    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "placement.conf").write_text(
            "[api]\nauth_strategy = noauth2\n[placement_database]\n"
            f"connection = sqlite:///{folder}/placement.sqlite\nsync_on_startup = true\n"
        )
        self._log = folder / "placement.log"
        read, write = os.pipe()
        with open(self._log, "ab") as log, open(read, "rb") as port:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", _SERVER, str(folder), str(write)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(write,),
            )
            os.close(write)
            number = port.read(5)
        if not number:
            raise RuntimeError(f"placement did not start:\n{self._log.read_text()[-3000:]}")
        self.url = f"http://127.0.0.1:{int(number)}"

    def __enter__(self) -> "Placement":
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """It takes connections and says nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def request(self, method: str, path: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("X-Auth-Token", "admin")
        request.add_header("OpenStack-API-Version", VERSION)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def make(self, name: str, *traits: str, parent: str | None = None) -> str:
        body = {"name": name, "uuid": str(uuid.uuid4())}
        if parent is not None:
            body["parent_provider_uuid"] = parent
        made = self.request("POST", "/resource_providers", body)["uuid"]
        if traits:
            self.change(made, *traits)
        return made

    def change(self, provider: str, *traits: str) -> None:
        """Somebody else's change of a provider's traits."""
        for trait in traits:
            if trait.startswith("CUSTOM_"):
                self.request("PUT", f"/traits/{trait}")
        for attempt in range(50):
            found = self.request("GET", f"/resource_providers/{provider}")
            body = {"traits": list(traits), "resource_provider_generation": found["generation"]}
            try:
                self.request("PUT", f"/resource_providers/{provider}/traits", body)
                return
            except urllib.error.HTTPError as error:
                if error.code != 409 or attempt == 49:
                    raise
                time.sleep(0.02)

    def remove(self, provider: str) -> None:
        self.request("DELETE", f"/resource_providers/{provider}")

    def clear(self) -> None:
        """No provider is left, nor a trait that nobody has."""
        while rows := self.request("GET", "/resource_providers")["resource_providers"]:
            for row in rows:
                with contextlib.suppress(urllib.error.HTTPError):  # those with children are next
                    self.remove(row["uuid"])
        for trait in self.request("GET", "/traits?name=startswith:CUSTOM_")["traits"]:
            self.request("DELETE", f"/traits/{trait}")

    def traits(self, name: str) -> set[str]:
        (row,) = self.request("GET", f"/resource_providers?name={name}")["resource_providers"]
        return set(self.request("GET", f"/resource_providers/{row['uuid']}/traits")["traits"])

    def holders(self, trait: str = "CUSTOM_ATTESTED") -> set[str]:
        try:
            found = self.request("GET", f"/resource_providers?required={trait}")
        except urllib.error.HTTPError as error:
            if error.code == 400:  # there is no such trait
                return set()
            raise
        return {row["name"] for row in found["resource_providers"]}

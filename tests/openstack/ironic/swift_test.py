# SPDX-License-Identifier: Apache-2.0
"""Lists from a real Swift: proxy, account and container server on sqlite, objects in memory.

Debian's packages of the servers are unpacked, not installed: nothing of theirs runs afterwards.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

from service import Ironic, free_port

SERVERS = ("swift", "swift-proxy", "memcached")


class Swift:
    """A Swift with the user test:tester (testing), without keystone."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        names = ("proxy", "account", "container", "object", "cache")
        self.ports = {name: free_port() for name in names}
        self.auth_url = f"http://127.0.0.1:{self.ports['proxy']}/auth/v1.0"

    def __enter__(self) -> "Swift":
        for name in ("etc", "dev/d1", "deb"):
            (self.folder / name).mkdir(parents=True)
        try:
            self._unpack()
            self._configure()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _unpack(self) -> None:
        deb = self.folder / "deb"
        got = subprocess.run(["apt-get", "download", *SERVERS], cwd=deb, capture_output=True)
        if got.returncode != 0:
            raise unittest.SkipTest("Debian's archive is not reached: no Swift servers")
        for package in deb.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, deb / "x"], check=True)

    def _configure(self) -> None:
        etc, builder = self.folder / "etc", self.folder / "deb/x/usr/bin/swift-ring-builder"
        (etc / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_suffix = test\n"
            "[storage-policy:0]\nname = gold\ndefault = yes\n"
        )
        common = f"bind_ip = 127.0.0.1\nworkers = 0\nswift_dir = {etc}\nlog_address = /none\n"
        common += f"user = {os.environ.get('USER') or 'root'}\n"
        for name in ("account", "container", "object"):
            ring = etc / f"{name}.builder"
            device = f"r1z1-127.0.0.1:{self.ports[name]}/d1"
            for words in (["create", "2", "1", "0"], ["add", device, "1"], ["rebalance"]):
                command = ["/usr/bin/python3", builder, ring, *words]
                subprocess.run(command, check=True, capture_output=True)
            app = "mem_object" if name == "object" else name
            (etc / f"{name}.conf").write_text(
                f"[DEFAULT]\n{common}bind_port = {self.ports[name]}\n"
                f"devices = {self.folder / 'dev'}\nmount_check = false\nfallocate_reserve = 0\n"
                f"disable_fallocate = true\n[pipeline:main]\npipeline = {name}-server\n"
                f"[app:{name}-server]\nuse = egg:swift#{app}\nreplication_server = false\n"
            )
        (etc / "proxy.conf").write_text(
            f"[DEFAULT]\n{common}bind_port = {self.ports['proxy']}\n[pipeline:main]\n"
            "pipeline = catch_errors cache tempauth proxy-server\n"
            "[filter:catch_errors]\nuse = egg:swift#catch_errors\n"
            "[filter:cache]\nuse = egg:swift#memcache\n"
            f"memcache_servers = 127.0.0.1:{self.ports['cache']}\n"
            "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = testing .admin\n"
            "storage_url_scheme = http\n"
            "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
        )

    def _start(self) -> None:
        self._run(
            "memcached",
            [self.folder / "deb/x/usr/bin/memcached", "-l", "127.0.0.1", "-p",
             str(self.ports["cache"]), "-U", "0", "-u", os.environ.get("USER") or "root"],
        )  # fmt: skip
        for name in ("account", "container", "object", "proxy"):
            code = (
                "import sys, swift.common.utils as u\n"
                f"u.SWIFT_CONF_FILE = {str(self.folder / 'etc/swift.conf')!r}\n"
                "from swift.common.wsgi import run_wsgi\n"
                f"sys.exit(run_wsgi({str(self.folder / f'etc/{name}.conf')!r}, '{name}-server'))\n"
            )
            # Debian's Python has Swift; Ironic may run on another.
            self._run(name, ["/usr/bin/python3", "-W", "ignore", "-c", code])
        deadline = time.monotonic() + 120
        while True:
            try:
                self.token = self._authenticate()
                self.upload("probe", probe=b"all of the servers listen")
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _run(self, name: str, command: list) -> None:
        with open(self.folder / f"{name}.log", "wb") as log:
            env = {**os.environ, "SWIFT_HASH_PATH_SUFFIX": "x", "PYTHONPATH": ""}
            self.processes.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
            )

    def _authenticate(self) -> tuple[str, str]:
        headers = {"X-Auth-User": "test:tester", "X-Auth-Key": "testing"}
        with urllib.request.urlopen(
            urllib.request.Request(self.auth_url, headers=headers), timeout=5
        ) as answer:
            return answer.headers["X-Storage-Url"], answer.headers["X-Auth-Token"]

    def request(self, method: str, path: str, data: bytes | None = None) -> bytes:
        url, token = self.token
        request = urllib.request.Request(f"{url}/{path}", data, method=method)
        request.add_header("X-Auth-Token", token)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def upload(self, container: str, **objects: bytes) -> None:
        self.request("PUT", container, b"")
        for name, data in objects.items():
            self.request("PUT", f"{container}/{name}", data)

    def options(self) -> dict[str, dict[str, str]]:
        return {
            "swift": {
                "auth_type": "v1password",
                "auth_url": self.auth_url,
                "username": "test:tester",
                "password": "testing",
            }
        }


class FromSwift(unittest.TestCase):
    """The interface `scripted` loads the lists as the real ones do."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="libattest-swift-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.swift = cls.enterClassContext(Swift(cls.folder / "swift"))
        cls.ironic = cls.enterClassContext(
            Ironic(
                cls.folder / "ironic",
                {
                    **cls.swift.options(),
                    "libattest": {
                        "enabled_attestation_interfaces": "no-attestation,scripted",
                        "attestation_timeout": "10",
                        "max_list_size": "200000",
                    },
                },
            )
        )

    def outcome(self, **objects: bytes) -> dict:
        container = f"c{time.monotonic_ns()}"
        self.swift.upload(container, **objects)
        return self.clean(container)

    def clean(self, container: str, word: str = "lists") -> dict:
        node = self.ironic.enroll(
            {
                "attestation_interface": "scripted",
                "tpm_ek_sha256": "e" * 64,
                "keylime_container": container,
            }
        )
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.say(node, word)
        self.ironic.provision(node, "provide")
        return self.ironic.wait(node, "available", "clean failed")

    def fails(self, words: str, seen: dict) -> None:
        self.assertEqual("clean failed", seen["provision_state"])
        self.assertIn(words, seen["last_error"])

    GOOD = b"0" * 64 + b" boot_aggregate\n"
    SUM = hashlib.sha256(GOOD).hexdigest().encode()

    def test_the_three_objects(self):
        seen = self.outcome(allowlist=self.GOOD, allowlist_checksum=self.SUM, excludelist=b"/tmp\n")
        self.assertEqual("available", seen["provision_state"])

    def test_the_excludelist_is_optional(self):
        seen = self.outcome(allowlist=self.GOOD, allowlist_checksum=self.SUM + b"  allowlist\n")
        self.assertEqual("available", seen["provision_state"])

    def test_a_wrong_checksum(self):
        objects = {"allowlist": self.GOOD + b"x", "allowlist_checksum": self.SUM}
        self.fails("nothing was sent", self.outcome(**objects))

    def test_missing_objects(self):
        self.fails("no object allowlist_checksum", self.outcome(allowlist=self.GOOD))
        self.fails("no object allowlist", self.outcome(allowlist_checksum=self.SUM))

    def test_no_such_container(self):
        self.fails("no object allowlist", self.clean("nobody-made-it"))

    def test_an_object_that_is_too_big(self):
        objects = {"allowlist": b"x" * 200001, "allowlist_checksum": self.SUM}
        self.fails("bigger than 200000", self.outcome(**objects))

    def test_what_was_put_there_is_what_is_loaded(self):
        seen = self.clean("made-by-ironic", "put")
        self.assertEqual("available", seen["provision_state"])
        self.assertEqual(b"as put", self.swift.request("GET", "made-by-ironic/allowlist"))


class SwiftIsDown(unittest.TestCase):
    def test_it_is_unknown_and_named(self):
        with tempfile.TemporaryDirectory(prefix="libattest-swift-") as folder:
            options = {
                "swift": {
                    "auth_type": "v1password",
                    "auth_url": f"http://127.0.0.1:{free_port()}/auth/v1.0",
                    "username": "test:tester",
                    "password": "testing",
                    "swift_max_retries": "0",
                },
                "libattest": {
                    "enabled_attestation_interfaces": "no-attestation,scripted",
                    "attestation_timeout": "3",
                },
            }
            with Ironic(pathlib.Path(folder), options) as ironic:
                outcome = FromSwift("clean")
                outcome.ironic = ironic
                outcome.fails("Swift", outcome.clean("lists"))


if __name__ == "__main__":
    unittest.main(verbosity=2)

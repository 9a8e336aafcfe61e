# SPDX-License-Identifier: Apache-2.0
"""Real Ironic on loopback: API and conductor in one process, sqlite, JSON-RPC, no authentication.

    with Ironic(folder, options={"libattest": {...}}) as ironic:
        node = ironic.enroll(driver_info={...})
        ironic.provision(node, "manage"); ironic.wait(node, "manageable")

The package is found by its own pyproject.toml: nothing has to be installed.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "bindings" / "openstack"
HERE = pathlib.Path(__file__).resolve().parent
VERSION = "1.82"

OPTIONS: dict[str, dict[str, str]] = {
    "DEFAULT": {
        "auth_strategy": "noauth",
        "rpc_transport": "json-rpc",
        "host": "localhost",
        "my_ip": "127.0.0.1",
        "use_stderr": "false",
        "debug": "true",
        "enabled_hardware_types": "libattest-fake",
        "enabled_deploy_interfaces": "libattest-fake,libattest-direct,fake,direct",
        "enabled_boot_interfaces": "fake",
        "enabled_power_interfaces": "fake",
        "enabled_management_interfaces": "fake,noop",
        "enabled_network_interfaces": "noop",
        "enabled_vendor_interfaces": "libattest,no-vendor",
        "enabled_bios_interfaces": "no-bios,fake",
        "enabled_raid_interfaces": "no-raid",
        "enabled_inspect_interfaces": "no-inspect",
        "enabled_rescue_interfaces": "no-rescue,fake",
        "enabled_storage_interfaces": "noop",
        "enabled_console_interfaces": "no-console",
        "notification_level": "debug",
    },
    "api": {"host_ip": "127.0.0.1", "api_workers": "1"},
    "conductor": {"heartbeat_interval": "10", "automated_clean": "true"},
    "json_rpc": {"host_ip": "127.0.0.1", "auth_strategy": "noauth"},
    "oslo_messaging_notifications": {"driver": "log"},
    "dhcp": {"dhcp_provider": "none"},
    "deploy": {"power_off_after_deploy_failure": "true"},
    "libattest": {"poll_interval": "1", "attestation_timeout": "20"},
}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def write_metadata(folder: pathlib.Path, extra: dict[str, dict[str, str]] | None = None) -> None:
    """What pip would write for the package: the entry points."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    groups = {group: dict(points) for group, points in project["entry-points"].items()}
    for group, points in (extra or {}).items():
        groups.setdefault(group, {}).update(points)
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


class Ironic:
    """One Ironic. `options` are merged into OPTIONS; a folder of its own.

    `installed`: the package is there, or comes, by pip.
    `interfaces`: entry points of attestation interfaces beside the plug-in's own.
    `refusal`: words of a log that says why it will not start; the newest Ironic tries again for ever.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        options: dict[str, dict[str, str]] | None = None,
        python: str = sys.executable,
        installed: bool = False,
        interfaces: dict[str, str] | None = None,
        refusal: str = "",
    ) -> None:
        self.installed = installed
        self.refusal = refusal
        self.folder = pathlib.Path(folder)
        self.python = python
        self.interfaces = {"scripted": "scripted:ScriptedAttestation", **(interfaces or {})}
        self.verdicts = self.folder / "verdicts"
        self.port, rpc = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = {section: dict(values) for section, values in OPTIONS.items()}
        own = {
            "DEFAULT": {
                "state_path": str(self.folder),
                "tempdir": str(self.folder),
                "log_file": str(self.folder / "ironic.log"),
            },
            "api": {"port": str(self.port)},
            "json_rpc": {"port": str(rpc)},
            "database": {"connection": f"sqlite:///{self.folder}/ironic.sqlite"},
            "service_catalog": {"endpoint_override": self.url, "auth_type": "none"},
        }
        if not installed:
            own["libattest"] = {
                "enabled_attestation_interfaces": "no-attestation,scripted",
                "lists_dir": str(self.folder / "lists"),
            }
        for source in (own, options or {}):
            for section, values in source.items():
                self.options.setdefault(section, {}).update(values)
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Ironic":
        for name in ("lists", "verdicts", "plugin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if not self.installed:
            write_metadata(
                self.folder / "plugin",
                {"ironic_libattest.attestation": self.interfaces},
            )
        self._write_configuration()
        self._make_database()
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def configure(self, section: str, **values: str) -> None:
        """Takes effect at the next start."""
        self.options.setdefault(section, {}).update(values)
        self._write_configuration()

    def start(self, ready: bool = True) -> None:
        self.process = self._run("singleprocess")
        deadline = time.monotonic() + 120
        while ready:
            with contextlib.suppress(OSError, ValueError):
                if self.options["DEFAULT"]["enabled_hardware_types"].split(",")[0] in json.dumps(
                    self.request("GET", "/v1/drivers")
                ):
                    return
            if self.refusal and self.refusal in self.log():
                deadline = min(deadline, time.monotonic() + 5)
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Ironic did not start:\n{self.log()[-3000:]}")
            time.sleep(0.1)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def bury(self) -> None:
        """Its conductors are gone for others, too: on SQLite the newest Ironic never looks."""
        with contextlib.closing(sqlite3.connect(self.folder / "ironic.sqlite")) as database:
            with database:
                database.execute("UPDATE conductors SET online = 0")

    def log(self) -> str:
        texts = [self.folder / "ironic.log", self.folder / "singleprocess.out"]
        return "".join(p.read_text(errors="replace") for p in texts if p.exists())

    # The API.

    def request(self, method: str, path: str, body: object = None, version: str = VERSION):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("X-OpenStack-Ironic-API-Version", version)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode(errors="replace")) from None
        return json.loads(text) if text else None

    @property
    def newest(self) -> tuple[int, ...]:
        """The newest version of its API."""
        version = self.request("GET", "/v1")["version"]["version"]
        return tuple(int(part) for part in version.split("."))

    def enroll(self, driver_info: dict | None = None, **fields) -> str:
        body = {
            "driver": "libattest-fake",
            "network_interface": "noop",
            "management_interface": "noop",
            "driver_info": driver_info or {},
            **fields,
        }
        return self.request("POST", "/v1/nodes", body)["uuid"]

    def node(self, uuid: str) -> dict:
        return self.request("GET", f"/v1/nodes/{uuid}")

    def set(self, uuid: str, **fields) -> None:
        patch = [
            {"op": "add", "path": "/" + path.replace("__", "/"), "value": value}
            for path, value in fields.items()
        ]
        self.request("PATCH", f"/v1/nodes/{uuid}", patch)

    def provision(self, uuid: str, target: str, version: str = VERSION, **more) -> None:
        # A node is locked for a moment after each change: 409 is worth another try.
        for attempt in range(50):
            try:
                path = f"/v1/nodes/{uuid}/states/provision"
                self.request("PUT", path, {"target": target, **more}, version)
                return
            except ApiError as error:
                if error.status != 409 or attempt == 49:
                    raise
                time.sleep(0.1)

    def wait(self, uuid: str, *wanted: str, timeout: float = 120) -> dict:
        deadline = time.monotonic() + timeout
        while True:
            node = self.node(uuid)
            if node["provision_state"] in wanted and not node["reservation"]:
                return node
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{node['provision_state']} instead of {wanted}: {node['last_error']}\n"
                    + self.log()[-2000:]
                )
            time.sleep(0.1)

    def passthru(self, uuid: str, method: str, http: str = "GET", body: object = None):
        return self.request(http, f"/v1/nodes/{uuid}/vendor_passthru?method={method}", body)

    def available(self, driver_info: dict, **fields) -> str:
        """A node that was cleaned with a trusted verdict."""
        uuid = self.enroll(driver_info, **fields)
        self.provision(uuid, "manage")
        self.wait(uuid, "manageable")
        self.say(uuid, "trusted")
        self.provision(uuid, "provide")
        self.wait(uuid, "available")
        return uuid

    def say(self, uuid: str, verdict: str) -> None:
        """What the interface `scripted` finds from now on; "" for nothing yet."""
        (self.verdicts / uuid).write_text(verdict)

    def rewrite(self, uuid: str, change: Callable[[dict], None]) -> None:
        """Changes a node's driver_internal_info, as another conductor may. Ironic is stopped."""
        with contextlib.closing(sqlite3.connect(self.folder / "ironic.sqlite")) as db, db:
            found = db.execute("SELECT driver_internal_info FROM nodes WHERE uuid = ?", [uuid])
            info = json.loads(found.fetchone()[0])
            change(info)
            db.execute(
                "UPDATE nodes SET driver_internal_info = ? WHERE uuid = ?", [json.dumps(info), uuid]
            )

    # Its process.

    # A database without a node, by the Python that made it: to make one takes seconds.
    _empty: dict[str, bytes] = {}

    def _make_database(self) -> None:
        database = self.folder / "ironic.sqlite"
        if self.python in self._empty:
            database.write_bytes(self._empty[self.python])
            return
        self._run("dbsync", "create_schema").wait()
        self._empty[self.python] = database.read_bytes()

    def _run(self, command: str, *arguments: str) -> subprocess.Popen:
        code = (
            "import importlib.util as u, sys\n"
            "package = 'ironic.command' if u.find_spec('ironic.command') else 'ironic.cmd'\n"
            f"sys.argv = ['ironic', '--config-file', {str(self.folder / 'ironic.conf')!r}, "
            f"*{list(arguments)!r}]\n"
            f"module = __import__(package + '.{command}', fromlist=['main'])\n"
            "sys.exit(module.main())\n"
        )
        own = [] if self.installed else [self.folder / "plugin", PACKAGE, HERE]
        path = [*own, *os.environ.get("PYTHONPATH", "").split(":")]
        environment = {
            **os.environ,
            "PYTHONPATH": ":".join(str(part) for part in path if str(part)),
            "LIBATTEST_TEST_VERDICTS": str(self.verdicts),
        }
        with open(self.folder / f"{command}.out", "ab") as out:
            return subprocess.Popen(
                [self.python, "-W", "ignore", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment,
                cwd=self.folder,  # the first place where Python looks for packages
                start_new_session=True,
            )

    def _write_configuration(self) -> None:
        lines = []
        for section, values in self.options.items():
            lines += [f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]
        (self.folder / "ironic.conf").write_text("\n".join(lines) + "\n")


class ApiError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text}")
        self.status = status
        self.text = text

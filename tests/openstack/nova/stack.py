# SPDX-License-Identifier: Apache-2.0
"""Nova as it runs: nova-scheduler with two workers, nova-conductor and two nova-compute with the fake
driver, placement and RabbitMQ, each a process of its own, on loopback and with sqlite.

    with Stack(folder, options={"trusted_computing": {...}}) as stack:
        ...                               # stack.configuration, stack.log("scheduler")

Without nova-api, which would need images and users: what it would send to the scheduler, tests send.
"""

import contextlib
import importlib.util
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

HOSTS = ("rhost1", "rhost2")

_PLACEMENT = """\
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from placement import wsgi

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass

port, sys.argv = int(sys.argv[1]), ["placement-api"]
make_server("127.0.0.1", port, wsgi.init_application(), Server, Handler).serve_forever()
"""
_NOVA = """\
import importlib, sys
service = sys.argv.pop(1)
sys.argv[0] = f"nova-{service}"
sys.exit(importlib.import_module(f"nova.cmd.{service}").main())
"""


def missing() -> str:
    """What this machine lacks for a stack; empty: nothing."""
    if not pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists():
        return "rabbitmq-server is not installed"
    if importlib.util.find_spec("placement") is None:
        return "placement is not installed"
    return ""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Stack:
    def __init__(self, folder: pathlib.Path, options: dict[str, dict[str, str]]) -> None:
        self.folder = pathlib.Path(folder)
        self.options = options
        self.configuration = str(self.folder / "nova1.conf")
        self._processes: dict[str, subprocess.Popen] = {}
        self._rabbit_port, self._epmd_port, self._placement_port = (free_port() for _ in range(3))
        self._rabbit: dict[str, str] = {}

    def __enter__(self) -> "Stack":
        for name in ("log", "rabbitmq", "state1", "state2"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        try:
            self._start_rabbitmq()
            self._start_placement()
            self._write_nova()
            self._make_databases()
            self._wait_for_rabbitmq()
            for service in ("conductor", "scheduler"):
                self._start_nova(service, service, 1)
            self._start_nova("compute1", "compute", 1)
            # One after the other: of two that create themselves at once, sqlite locks one out.
            self._wait("the first compute", lambda: self._providers() >= 1)
            self._start_nova("compute2", "compute", 2)
            self._wait("both computes", lambda: self._providers() == len(HOSTS))
            self._manage("cell_v2", "discover_hosts")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("compute1", "compute2", "scheduler", "conductor", "placement", "rabbitmq"):
            process = self._processes.pop(name, None)
            if process is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                # With its workers: each service has a group of its own.
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(15)
        if self._rabbit:
            # RabbitMQ's name server stays when it ends; this one listens on a port of ours.
            subprocess.run(
                ["epmd", "-port", str(self._epmd_port), "-kill"], capture_output=True, check=False
            )

    def log(self, name: str) -> str:
        return (self.folder / "log" / f"{name}.log").read_text(errors="replace")

    def _spawn(self, name: str, *arguments: str, **environment: str) -> None:
        with (self.folder / "log" / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                arguments,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    def _wait(self, what: str, condition, seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(f"== {name}\n{self.log(name)[-2000:]}" for name in self._processes)
                raise AssertionError(f"no sign of {what}; ended: {ended}\n{logs}")
            time.sleep(0.3)

    def _start_rabbitmq(self) -> None:
        home = self.folder / "rabbitmq"
        self._rabbit = {
            "HOME": str(home),
            "RABBITMQ_NODENAME": f"libattest{os.getpid()}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._rabbit_port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(home),
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "env"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
        }
        self._spawn("rabbitmq", "/usr/lib/rabbitmq/bin/rabbitmq-server", **self._rabbit)

    def _wait_for_rabbitmq(self) -> None:
        def listens() -> bool:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self._rabbit_port), 1).close()
                return True
            return False

        self._wait("RabbitMQ", listens)

    def _start_placement(self) -> None:
        (self.folder / "placement.conf").write_text(
            "[api]\nauth_strategy = noauth2\n[placement_database]\n"
            f"connection = sqlite:///{self.folder}/placement.sqlite\nsync_on_startup = true\n"
        )
        self._spawn(
            "placement",
            *(sys.executable, "-c", _PLACEMENT, str(self._placement_port)),
            OS_PLACEMENT_CONFIG_DIR=str(self.folder),
        )

    def _write_nova(self) -> None:
        for number, host in enumerate(HOSTS, 1):
            state = self.folder / f"state{number}"
            options: dict[str, dict[str, object]] = {
                "DEFAULT": {
                    "state_path": state,
                    "transport_url": f"rabbit://guest:guest@127.0.0.1:{self._rabbit_port}/",
                    "compute_driver": "fake.MediumFakeDriver",
                    "my_ip": "127.0.0.1",
                    "host": host,
                },
                "database": {"connection": f"sqlite:///{self.folder}/nova.sqlite"},
                "api_database": {"connection": f"sqlite:///{self.folder}/nova_api.sqlite"},
                "placement": {
                    "auth_type": "admin_token",
                    "endpoint": f"http://127.0.0.1:{self._placement_port}",
                    "token": "admin",
                },
                "conductor": {"workers": 1},
                "scheduler": {"workers": 2},
                "oslo_concurrency": {"lock_path": state},
                "filter_scheduler": {
                    "available_filters": "nova.scheduler.filters.all_filters\n"
                    "available_filters = libattest_nova.TrustedFilter",
                    "enabled_filters": "ComputeFilter,TrustedFilter",
                },
            }
            for group, values in self.options.items():
                options.setdefault(group, {}).update(values)
            text = "".join(
                f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
                for group, values in options.items()
            )
            (self.folder / f"nova{number}.conf").write_text(text)

    def _manage(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", _NOVA, "manage", "--config-file", self.configuration, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"nova-manage {arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def _make_databases(self) -> None:
        cell0 = f"sqlite:///{self.folder}/nova_cell0.sqlite"
        self._manage("api_db", "sync")
        self._manage("cell_v2", "map_cell0", "--database_connection", cell0)
        self._manage("db", "sync")
        self._manage("cell_v2", "create_cell", "--name", "cell1")

    def _start_nova(self, name: str, service: str, number: int) -> None:
        configuration = str(self.folder / f"nova{number}.conf")
        self._spawn(name, sys.executable, "-c", _NOVA, service, "--config-file", configuration)

    def _providers(self) -> int:
        """How many hosts placement would give an instance to."""
        ask = urllib.request.Request(
            f"http://127.0.0.1:{self._placement_port}/allocation_candidates?resources=VCPU:1",
            headers={"X-Auth-Token": "admin", "OpenStack-API-Version": "placement 1.10"},
        )
        with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(ask, timeout=5) as got:
            return len(json.load(got)["provider_summaries"])
        return 0

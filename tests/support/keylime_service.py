# SPDX-License-Identifier: Apache-2.0
"""A real Keylime verifier and registrar on loopback, from PyPI in a virtual environment.

    with KeylimeService("7.14.3", build / "keylime", work) as service: service.verifier_port, service.ca(...)
"""

import configparser
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

NEWEST = "7.14.3"
OLDEST = "6.3.1"  # PyPI has none before it
# The package names no dependencies of its own.
REQUIREMENTS = {
    NEWEST: [
        *("cryptography", "tornado", "pyzmq", "pyyaml", "requests", "sqlalchemy>=2.0.39", "alembic", "packaging"),
        *("psutil", "lark", "pyasn1", "pyasn1-modules", "jinja2", "jsonschema", "typing_extensions"),
    ],
    OLDEST: [
        *("cryptography==36.0.2", "tornado", "pyzmq", "pyyaml", "simplejson", "requests", "sqlalchemy<2", "alembic"),
        *("packaging", "psutil", "lark", "pyasn1", "pyasn1-modules", "python-gnupg", "pycryptodomex"),
    ],
}
# 7.14.3's own defaults but for what differs here: one address, no revocation, short intervals.
VERIFIER = """
[verifier]
version = 2.6
uuid = default
ip = "127.0.0.1"
port = {verifier}
registrar_ip = 127.0.0.1
registrar_port = {registrar}
enable_agent_mtls = True
tls_dir = generate
server_key = default
server_key_password =
server_cert = default
cert_subject_alternative_names =
trusted_client_ca = default
client_key = default
client_key_password =
client_cert = default
trusted_server_ca = default
authorization_provider = simple
database_url = sqlite
database_pool_sz_ovfl = 5,10
auto_migrate_db = True
num_workers = 1
max_workers = 16
exponential_backoff = False
retry_interval = 1
max_retries = 3
quote_interval = 1
max_upload_size = 104857600
request_timeout = 10.0
measured_boot_policy_name = accept-all
measured_boot_imports = []
measured_boot_evaluate = once
severity_labels = ["info", "notice", "warning", "error", "critical", "alert", "emergency"]
severity_policy = [{{"event_id": ".*", "severity_label" : "emergency"}}]
ignore_tomtou_errors = False
durable_attestation_import =
persistent_store_url =
transparency_log_url =
time_stamp_authority_url =
time_stamp_authority_certs_path =
persistent_store_format = json
persistent_store_encoding =
transparency_log_sign_algo = sha256
signed_attributes =
require_allow_list_signatures = False
mode = pull
challenge_lifetime = 1800
verification_timeout = 0
session_create_rate_limit_per_ip = 50
session_create_rate_limit_window_ip = 60
session_create_rate_limit_per_agent = 15
session_create_rate_limit_window_agent = 60
session_lifetime = 180
extend_token_on_attestation = True
auto_recover_attestation_failures = False
shutdown_drain_timeout = 10
[revocations]
enabled_revocation_notifications = []
zmq_ip = 127.0.0.1
zmq_port = {revocation}
webhook_url =
"""
REGISTRAR = """
[registrar]
version = 2.6
ip = "127.0.0.1"
port = {agents}
tls_port = {registrar}
tls_dir = default
server_key = default
server_key_password =
server_cert = default
cert_subject_alternative_names =
trusted_client_ca = default
authorization_provider = simple
database_url = sqlite
database_pool_sz_ovfl = 5,10
max_workers = 16
auto_migrate_db = True
durable_attestation_import =
persistent_store_url =
transparency_log_url =
time_stamp_authority_url =
time_stamp_authority_certs_path =
persistent_store_format = json
persistent_store_encoding =
transparency_log_sign_algo = sha256
signed_attributes = ek_tpm,aik_tpm,ekcert
tpm_identity = default
malformed_cert_action = warn
"""
CA = """
[ca]
version = 2.6
password = default
cert_country = US
cert_ca_name = Keylime Certificate Authority
cert_state = MA
cert_locality = Lexington
cert_organization = Keylime
cert_org_unit = 53
cert_ca_lifetime = 3650
cert_lifetime = 365
cert_bits = 2048
cert_crl_dist = http://localhost:38080/crl
"""
LOGGING = """
[logging]
version = 2.6
[loggers]
keys = root,keylime
[handlers]
keys = consoleHandler
[formatters]
keys = formatter
[formatter_formatter]
format = %(asctime)s.%(msecs)03d - %(name)s - %(levelname)s - %(message)s
datefmt = %Y-%m-%d %H:%M:%S
[logger_root]
level = INFO
handlers = consoleHandler
[handler_consoleHandler]
class = StreamHandler
level = INFO
formatter = formatter
args = (sys.stdout,)
[logger_keylime]
level = INFO
qualname = keylime
handlers = consoleHandler
propagate = 0
"""


class Unavailable(Exception):
    """This machine can not have it: PyPI is not reached, or a package is missing."""


def reach_pypi(timeout: float = 5.0) -> bool:
    """Whether pip has an index, found out within seconds."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--retries", "0", "--timeout", "3", "-q",
               "-d", os.devnull, "keylime==0"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout * 3, check=False)
    except subprocess.TimeoutExpired:
        return False
    return "from versions: " in done.stderr and "from versions: none" not in done.stderr


def environment(version: str, folder: pathlib.Path) -> pathlib.Path:
    """The virtual environment of that release below `folder`, made when it is not there."""
    home = folder / version
    if (home / "complete").exists():
        return home
    if not reach_pypi():
        raise Unavailable("PyPI is not reached")
    steps = [
        ["/usr/bin/python3", "-m", "venv", "--clear", os.fspath(home)],
        [os.fspath(home / "bin/pip"), "install", "-q", f"keylime=={version}", *REQUIREMENTS[version]],
    ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"Keylime {version}: {done.stderr.strip().splitlines()[-1]}")
    # The binding of gpgme has no wheel; Debian's python3-gpg is of the same interpreter.
    gpg = pathlib.Path("/usr/lib/python3/dist-packages/gpg")
    if version == NEWEST:
        if not gpg.exists():
            raise Unavailable("the Debian package python3-gpg is not installed")
        (home / "lib/python3.11/site-packages/gpg").symlink_to(gpg)
    (home / "complete").touch()
    return home


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class KeylimeService:
    """Verifier and registrar with a certificate authority of their own, below `work`."""

    def __init__(self, version: str, environments: pathlib.Path, work: pathlib.Path) -> None:
        self.version = version
        self.home = environment(version, pathlib.Path(environments).resolve())
        self.work = pathlib.Path(work)
        self.processes: list[subprocess.Popen] = []
        self.verifier_port, self.registrar_port, self.agents_port, self.revocation_port = free_ports(4)

    def __enter__(self) -> "KeylimeService":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    @property
    def verifier(self) -> str:
        return f"127.0.0.1:{self.verifier_port}"

    @property
    def registrar(self) -> str:
        return f"127.0.0.1:{self.registrar_port}"

    @property
    def cv_ca(self) -> pathlib.Path:
        return self.work / "keylime" / "cv_ca"

    def pem(self, name: str) -> str:
        return (self.cv_ca / name).read_text()

    def start(self) -> None:
        (self.work / "keylime").mkdir(parents=True, exist_ok=True)
        self._configure()
        self.start_verifier()
        self.processes.append(self._start("registrar"))
        self._wait(self.registrar_port)
        self._wait(self.agents_port)

    def start_verifier(self) -> None:
        self.processes.insert(0, self._start("verifier"))
        self._wait(self.verifier_port)

    def stop_verifier(self) -> None:
        self._end(self.processes.pop(0))
        with contextlib.suppress(OSError):  # its workers end after it
            while True:
                socket.create_connection(("127.0.0.1", self.verifier_port), 1).close()
                time.sleep(0.05)

    def stop(self) -> None:
        while self.processes:
            self._end(self.processes.pop())

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.work.glob("*.log")))

    def _end(self, process: subprocess.Popen) -> None:
        # The service forks workers: its whole group ends.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _configure(self) -> None:
        ports = {
            "verifier": self.verifier_port,
            "registrar": self.registrar_port,
            "agents": self.agents_port,
            "revocation": self.revocation_port,
        }
        if self.version == OLDEST:
            self._configure_oldest()
            return
        texts = {"verifier": VERIFIER.format(**ports), "registrar": REGISTRAR.format(**ports)}
        for name, text in {**texts, "ca": CA, "logging": LOGGING}.items():
            (self.work / f"{name}.conf").write_text(text.lstrip())

    def _configure_oldest(self) -> None:
        """6.3 has one file for all; its own is changed where it must be."""
        config = configparser.RawConfigParser()
        config.read(self.home / "lib/python3.11/site-packages/keylime/keylime.conf")
        for name, value in {
            "cloudverifier_ip": "127.0.0.1",
            "cloudverifier_port": self.verifier_port,
            "registrar_ip": "127.0.0.1",
            "registrar_port": self.registrar_port,
            "multiprocessing_pool_num_workers": 1,
            "revocation_notifier": "False",
            "revocation_notifiers": "",
            "quote_interval": 1,
            "retry_interval": 1,
            "max_retries": 3,
        }.items():
            config.set("cloud_verifier", name, str(value))
        for name, value in {
            "registrar_ip": "127.0.0.1",
            "registrar_port": self.agents_port,
            "registrar_tls_port": self.registrar_port,
        }.items():
            config.set("registrar", name, str(value))
        config.set("general", "enable_tls", "True")
        with open(self.work / "keylime.conf", "w", encoding="utf-8") as file:
            config.write(file)

    def _start(self, name: str) -> subprocess.Popen:
        env = {
            **os.environ,
            "KEYLIME_TEST": "on",
            "KEYLIME_DIR": os.fspath(self.work / "keylime"),
            "KEYLIME_CONFIG": os.fspath(self.work / "keylime.conf"),
        }
        for part in ("verifier", "registrar", "ca", "logging"):
            env[f"KEYLIME_{part.upper()}_CONFIG"] = os.fspath(self.work / f"{part}.conf")
        with open(self.work / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                [os.fspath(self.home / "bin/python"), os.fspath(self.home / f"bin/keylime_{name}")],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env, cwd=self.work,
                start_new_session=True)  # fmt: skip

    def _wait(self, port: int, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self.processes):
                raise RuntimeError("Keylime ended:\n" + self.log()[-3000:])
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.1)
        raise RuntimeError("Keylime does not listen:\n" + self.log()[-3000:])

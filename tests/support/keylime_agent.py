# SPDX-License-Identifier: Apache-2.0
"""A Keylime agent of our own: speaks Keylime's agent API from a software TPM, and misbehaves on request.

    with Tpm(folder / "tpm") as tpm, KeylimeAgent(uuid, tpm, folder, client_ca=ca_pem) as agent:
        agent.register("127.0.0.1", 8890)
        agent.measure("/usr/bin/ls", sha256)     # as IMA does when a program runs
        agent.reboot(); agent.gone(); agent.replay = True; agent.relay = other_agent; agent.tpm = other_tpm

swtpm, tpm2-tools and openssl are what it needs beside Python. The API is the one of the agents of
Keylime 6.3 and later (2.0 to 2.5), where quotes are not compressed and TLS is mutual.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import secrets
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

from tls_server import TlsHandler, TlsServer

IMA_PCR = 10
KEY_PCR = 16
EK_HANDLE = "0x81010001"
AK_HANDLE = "0x81010002"


def missing_programs() -> list[str]:
    return [name for name in ("swtpm", "swtpm_setup", "tpm2_quote", "openssl") if not shutil.which(name)]


def run(*command, env=None, **how) -> bytes:
    done = subprocess.run(list(map(os.fspath, command)), capture_output=True, check=False, env=env, **how)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Tpm:
    """A software TPM 2.0 with an EK and an RSA AK. A reboot keeps keys and counters."""

    def __init__(self, folder: pathlib.Path, banks: str = "sha1,sha256") -> None:
        self.folder = pathlib.Path(folder)
        self.banks = banks
        self._process: subprocess.Popen | None = None
        self._lock = threading.RLock()  # no resource manager: one command at a time

    def __enter__(self) -> "Tpm":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> None:
        fresh = not (self.folder / "state").exists()
        if fresh:
            self._manufacture()
        self._power_on()
        if fresh:
            self._make_keys()

    def stop(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(RuntimeError):
            self.tool("shutdown")
        self._process.terminate()
        self._process.wait()
        self._process = None

    def reboot(self) -> None:
        with self._lock:
            self.stop()
            self._power_on()

    def tool(self, name: str, *arguments) -> bytes:
        env = {**os.environ, "TPM2TOOLS_TCTI": f"swtpm:path={self.folder / 'socket'}"}
        with self._lock:
            return run(f"tpm2_{name}", *arguments, env=env, cwd=self.folder)

    def file(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    @property
    def ek(self) -> bytes:
        """TPM2B_PUBLIC."""
        return self.file("ek.tss")

    @property
    def ak(self) -> bytes:
        """TPM2B_PUBLIC."""
        return self.file("ak.tss")

    @property
    def ek_certificate(self) -> bytes:
        """DER, made by a CA of this TPM's own folder; certificate_authority is its certificate."""
        return self.file("ek.der")

    @property
    def certificate_authority(self) -> bytes:
        """PEM: the issuer of the EK certificate, and the root above it."""
        return self.file("ca/issuercert.pem") + self.file("ca/swtpm-localca-rootca-cert.pem")

    def extend(self, pcr: int, data: bytes) -> None:
        """Extends every bank with its own hash of `data`."""
        values = ",".join(f"{bank}={hashlib.new(bank, data).hexdigest()}" for bank in self.banks.split(","))
        self.tool("pcrextend", f"{pcr}:{values}")

    def extend_values(self, pcr: int, values: dict[str, bytes]) -> None:
        words = ",".join(f"{bank}={value.hex()}" for bank, value in values.items())
        self.tool("pcrextend", f"{pcr}:{words}")

    def launch(self, acm: bytes, events: list[tuple[int, bytes]]) -> None:
        """A dynamic launch: PCR 17 to 22 are reset, 17 starts with `acm`, and tboot extends.

        PC Client Platform TPM Profile 1.05, 4.6.2: TPM_HASH_START in locality 4, extends in 2. tpm2-tss
        sets locality 0 before each command, so these are sent as they are.
        """
        control = f"{self.folder / 'socket'}.ctrl"
        with self._lock:
            run("swtpm_ioctl", "--unix", control, "-h", acm)
            run("swtpm_ioctl", "--unix", control, "-l", "2")
            with socket.socket(socket.AF_UNIX) as tpm:
                tpm.connect(str(self.folder / "socket"))
                for pcr, data in events:
                    tpm.sendall(self._pcr_extend(pcr, data))
                    if struct.unpack_from(">I", tpm.recv(4096), 6)[0] != 0:
                        raise RuntimeError(f"TPM2_PCR_Extend of PCR {pcr} failed")
            run("swtpm_ioctl", "--unix", control, "-l", "0")

    def _pcr_extend(self, pcr: int, data: bytes) -> bytes:
        numbers = {"sha1": 0x4, "sha256": 0xB}
        banks = self.banks.split(",")
        digests = struct.pack(">I", len(banks))
        for bank in banks:
            digests += struct.pack(">H", numbers[bank]) + hashlib.new(bank, data).digest()
        session = struct.pack(">IHBH", 0x40000009, 0, 0, 0)  # TPM_RS_PW
        body = struct.pack(">II", pcr, len(session)) + session + digests
        return struct.pack(">HII", 0x8002, 10 + len(body), 0x182) + body

    def quote(self, nonce: bytes, pcrs: list[int], bank: str = "sha256", key: bytes | None = None) -> str:
        """Keylime's quote string. With `key`, PCR 16 holds its hash first."""
        selection = f"{bank}:{','.join(map(str, pcrs))}"
        with self._lock:
            if key is not None:
                self.tool("pcrreset", str(KEY_PCR))
                self.extend(KEY_PCR, key)
            self.tool("quote", "-c", AK_HANDLE, "-l", selection, "-q", nonce.hex(), "-g", bank,
                      "-m", "quote.msg", "-s", "quote.sig", "-o", "quote.pcrs")  # fmt: skip
            parts = [self.file(f"quote.{part}") for part in ("msg", "sig", "pcrs")]
        return "r" + ":".join(base64.b64encode(part).decode() for part in parts)

    def activate(self, credential: bytes) -> bytes:
        """TPM2_ActivateCredential of tpm2-tools' file form; the secret."""
        with self._lock:
            (self.folder / "credential").write_bytes(credential)
            self.tool("startauthsession", "--policy-session", "-S", "session.ctx")
            try:
                self.tool("policysecret", "-S", "session.ctx", "-c", "e")
                self.tool("activatecredential", "-c", AK_HANDLE, "-C", EK_HANDLE, "-i", "credential",
                          "-o", "secret", "-P", "session:session.ctx")  # fmt: skip
            finally:
                self.tool("flushcontext", "session.ctx")
            return self.file("secret")

    def _manufacture(self) -> None:
        for name in ("state", "ca"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        ca = self.folder / "ca"
        (self.folder / "localca.conf").write_text(
            f"statedir = {ca}\nsigningkey = {ca}/signkey.pem\nissuercert = {ca}/issuercert.pem\n"
            f"certserial = {ca}/certserial\n"
        )
        (self.folder / "localca.options").write_text(
            "--platform-manufacturer Example\n--platform-version 1.0\n--platform-model Node\n"
        )
        (self.folder / "setup.conf").write_text(
            f"create_certs_tool = {shutil.which('swtpm_localca')}\n"
            f"create_certs_tool_config = {self.folder}/localca.conf\n"
            f"create_certs_tool_options = {self.folder}/localca.options\n"
        )
        run("swtpm_setup", "--tpm2", "--tpmstate", self.folder / "state", "--config",
            self.folder / "setup.conf", "--create-ek-cert", "--overwrite",
            "--pcr-banks", self.banks)  # fmt: skip

    def _power_on(self) -> None:
        sockets, listens = [self.folder / "socket", self.folder / "socket.ctrl"], self.folder / "pid"
        for path in (*sockets, listens):
            path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder / 'state'}",
             "--server", f"type=unixio,path={sockets[0]}", "--ctrl", f"type=unixio,path={sockets[1]}",
             "--flags", "not-need-init,startup-clear", "--locality", "allow-set-locality",
             "--pid", f"file={listens}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)  # fmt: skip
        deadline = time.monotonic() + 10
        while not listens.exists():  # the sockets are there before they take connections
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                raise RuntimeError("swtpm did not start")
            time.sleep(0.02)

    def _make_keys(self) -> None:
        # swtpm_setup made the EK persistent when it made its certificate.
        self.tool("readpublic", "-c", EK_HANDLE, "-o", "ek.tss", "-f", "tss")
        self.tool("createak", "-C", EK_HANDLE, "-c", "ak.ctx", "-G", "rsa", "-g", "sha256", "-s", "rsassa",
                  "-u", "ak.tss", "-f", "tss")  # fmt: skip
        self.tool("flushcontext", "-t")
        self.tool("evictcontrol", "-c", "ak.ctx", AK_HANDLE)
        self.tool("flushcontext", "-t")
        # TCG EK Credential Profile, 2.2.1.4: where the certificate of the RSA 2048 EK is.
        self.tool("nvread", "0x01c00002", "-o", "ek.der")


def ima_entry(path: str, digest: bytes) -> tuple[bytes, str]:
    """The template data of an ima-ng entry, and its line of the ascii list."""
    hashed = b"sha256:\0" + digest
    name = path.encode() + b"\0"
    data = struct.pack("<I", len(hashed)) + hashed + struct.pack("<I", len(name)) + name
    template = hashlib.sha1(data).hexdigest()
    return data, f"{IMA_PCR} {template} ima-ng sha256:{digest.hex()} {path}\n"


class KeylimeAgent:
    """One agent. The knobs below may be turned while it runs."""

    def __init__(
        self,
        uuid: str,
        tpm: Tpm,
        folder: pathlib.Path,
        *,
        client_ca: str | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        bank: str = "sha256",
        api: str = "2.1",
        eventlog: bytes = b"",
    ) -> None:
        """`client_ca`: PEM; who may ask. None: no client certificate is wanted."""
        self.uuid = uuid
        self.tpm = tpm  # knob: another TPM answers
        self.folder = pathlib.Path(folder)
        self.address = address
        self.port = port
        self.bank = bank
        self.api = api
        self.eventlog = eventlog
        self.client_ca = client_ca
        self.boottime = int(time.time())
        self.ima: list[str] = []
        self.requests: list[str] = []  # paths that were asked for
        self.replay = False  # knob: the last quote again, whatever the nonce is
        self.relay: KeylimeAgent | None = None  # knob: what another machine says
        self.delay = 0.0  # knob: seconds before each answer
        self.answer: tuple[int, bytes] | None = None  # knob: this status and body to every question
        self._last_quote: dict | None = None
        self._server: TlsServer | None = None
        self._make_files()
        self.measure("boot_aggregate", self._boot_aggregate())

    def __enter__(self) -> "KeylimeAgent":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.gone()

    # What happens to a machine.

    def start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "agent.crt", self.folder / "agent.key")
        if self.client_ca is not None:
            context.load_verify_locations(cadata=self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        agent = self

        class Handler(TlsHandler):
            def do_GET(self) -> None:
                agent._answer(self)

            do_POST = do_GET

        self._server = TlsServer(context, Handler, self.address, self.port)
        self.port = self._server.port
        self._server.start()

    def gone(self) -> None:
        """Stops listening; start() brings it back on the same port."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def reboot(self) -> None:
        self.tpm.reboot()
        self.boottime += 60
        self.ima.clear()
        self.measure("boot_aggregate", self._boot_aggregate())

    def measure(self, path: str, digest: bytes) -> None:
        """What IMA does when a file is used."""
        data, line = ima_entry(path, digest)
        self.ima.append(line)  # as the kernel does it: the list may be ahead of the PCR, never behind
        self.tpm.extend(IMA_PCR, data)

    def runtime_policy(self, **files: bytes) -> bytes:
        """A Keylime runtime policy that allows what was measured until now, and `files`."""
        digests: dict[str, list[str]] = {}
        for line in self.ima:
            _, _, _, digest, path = line.rstrip("\n").split(" ", 4)
            digests.setdefault(path, []).append(digest.removeprefix("sha256:"))
        for path, value in files.items():
            digests.setdefault(path, []).append(value.hex())
        policy = {
            "meta": {"version": 1, "generator": 0},
            "release": 0,
            "digests": digests,
            "excludes": [],
            "keyrings": {},
            "ima": {"ignored_keyrings": [], "log_hash_alg": "sha1", "dm_policy": None},
            "ima-buf": {},
            "verification-keys": "",
        }
        return json.dumps(policy).encode()

    def allowlist(self) -> bytes:
        """The same as a flat allowlist."""
        lines = []
        for line in self.ima:
            _, _, _, digest, path = line.rstrip("\n").split(" ", 4)
            lines.append(f"{digest.removeprefix('sha256:')} {path}\n")
        return "".join(lines).encode()

    # Keylime's registrar, plain HTTP.

    def register(self, host: str, port: int, api: str | None = None) -> None:
        body = {
            "ekcert": base64.b64encode(self.tpm.ek_certificate).decode(),
            "ek_tpm": base64.b64encode(self.tpm.ek).decode(),
            "aik_tpm": base64.b64encode(self.tpm.ak).decode(),
            "mtls_cert": self.certificate,
            "ip": self.address,
            "port": self.port,
        }
        path = f"/v{api or self.api}/agents/{self.uuid}"
        blob = base64.b64decode(self._registrar(host, port, "POST", path, body)["blob"])
        # The registrar's secret is what it made base64 of the credential's secret.
        secret = base64.b64encode(self.tpm.activate(blob))
        tag = hmac.new(secret, self.uuid.encode(), hashlib.sha384).hexdigest()
        self._registrar(host, port, "PUT", path + "/activate", {"auth_tag": tag})

    @staticmethod
    def _registrar(host: str, port: int, method: str, path: str, body: dict) -> dict:
        connection = http.client.HTTPConnection(host, port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text)["results"]

    # The agent API.

    @property
    def certificate(self) -> str:
        return (self.folder / "agent.crt").read_text()

    @property
    def public_key(self) -> str:
        return (self.folder / "transport.pub").read_text()

    def _answer(self, request: TlsHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        request.rfile.read(length)
        self.requests.append(request.path)
        time.sleep(self.delay)
        if self.answer is not None:
            status, body = self.answer
        else:
            try:
                results = self._results(request.command, urllib.parse.urlsplit(request.path))
            except (RuntimeError, KeyError, ValueError) as error:
                status, word, results = 500, str(error), {}
            else:
                status, word = (404, "Not found") if results is None else (200, "Success")
            body = json.dumps({"code": status, "status": word, "results": results or {}}).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _results(self, method: str, url: urllib.parse.SplitResult) -> dict | None:
        if (method, url.path) == ("GET", "/version"):
            return {"supported_version": self.api}
        version, _, path = url.path.removeprefix("/v").partition("/")
        if not version:
            return None
        asked = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
        if (method, path) == ("GET", "keys/pubkey"):
            return {"pubkey": self.public_key}
        if method == "POST" and path in ("keys/vkey", "keys/ukey"):
            return {}  # attestation does not wait for a payload
        if (method, path) == ("GET", "quotes/identity"):
            return self._quote(asked, 0)
        if (method, path) == ("GET", "quotes/integrity"):
            return self._quote(asked, int(asked["mask"], 16))
        return None

    def _quote(self, asked: dict, mask: int) -> dict:
        if self.replay and self._last_quote is not None:
            return self._last_quote
        if self.relay is not None:
            return self.relay._quote(asked, mask)
        pcrs = [pcr for pcr in range(24) if mask >> pcr & 1 or pcr == KEY_PCR]
        quote = self.tpm.quote(asked["nonce"].encode(), pcrs, self.bank, self.public_key.encode())
        ima = list(self.ima)
        results = {
            "quote": quote,
            "hash_alg": self.bank,
            "enc_alg": "rsa",
            "sign_alg": "rsassa",
            "boottime": self.boottime,
        }
        if asked.get("partial", "0") == "0":
            results["pubkey"] = self.public_key
        if mask >> IMA_PCR & 1:
            entry = int(asked.get("ima_ml_entry", "0"))
            entry = entry if entry <= len(ima) else 0
            results["ima_measurement_list"] = "".join(ima[entry:])
            results["ima_measurement_list_entry"] = entry
        if mask & 1:
            results["mb_measurement_list"] = base64.b64encode(self.eventlog).decode()
        self._last_quote = results
        return results

    def _boot_aggregate(self) -> bytes:
        # security/integrity/ima/ima_crypto.c: PCRs 0 to 9 of the sha256 bank.
        selection = f"{self.bank}:0,1,2,3,4,5,6,7,8,9"
        with self.tpm._lock:
            self.tpm.tool("pcrread", selection, "-o", "pcrs.bin")
            return hashlib.sha256(self.tpm.file("pcrs.bin")).digest()

    def _make_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / "agent.crt").exists():
            return
        key = self.folder / "agent.key"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
            self.folder / "agent.crt", "-days", "30", "-subj", f"/CN={self.uuid}", "-addext",
            f"subjectAltName=DNS:localhost,IP:{self.address}")  # fmt: skip
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
            self.folder / "transport.key")  # fmt: skip
        run("openssl", "pkey", "-in", self.folder / "transport.key", "-pubout", "-out",
            self.folder / "transport.pub")  # fmt: skip


def new_nonce() -> str:
    """As Keylime makes them: 20 of [A-Za-z0-9]."""
    return secrets.token_hex(10)

# SPDX-License-Identifier: Apache-2.0
"""The configuration file: TOML, in which nothing passes that is unknown or missing."""

import dataclasses
import json
import pathlib
import ssl
import tomllib
from typing import Any

import libattest

from .hosts import Agent, Folder, Host, judged_pcrs
from .nonces import Nonces

KEY_BYTES = 32
MOST_SECONDS = 366 * 86400


class SettingsError(Exception):
    """What is wrong, in one line."""


def table(where: str, values: object, **keys: Any) -> dict[str, Any]:
    """A table's values. `keys` are those that it may have: a type where it must, else what it is without."""
    if not isinstance(values, dict):
        raise SettingsError(f"{where} is not a table")
    for key in values:
        if key not in keys:
            raise SettingsError(f"{where}: {key!r} is not known")
    out = keys | values
    for key, wanted in keys.items():
        kind = wanted if isinstance(wanted, type) else type(wanted)
        if type(out[key]) is not kind:  # True is an int, too
            raise SettingsError(f"{where}: {key} is missing or is not of type {kind.__name__}")
        if kind is int and not 1 <= out[key] <= MOST_SECONDS:
            raise SettingsError(f"{where}: {key} is not from 1 to {MOST_SECONDS}")
    return out


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    address: tuple[str, int]
    context: ssl.SSLContext
    auth_blob: bytes  # empty: whoever has the address may ask
    workers: int  # connections that are served at once
    judges: int  # hosts that are judged at once
    timeout: int  # seconds for all hosts of a request
    hosts: dict[str, Host]
    nonces: Nonces | None

    def nonce_for(self, host: str, now: float) -> bytes:
        if host not in self.hosts or self.nonces is None:
            raise SettingsError("no such host has an evidence folder")
        return self.nonces.make(host, now)

    @staticmethod
    def read(path: str) -> "Settings":
        try:
            text = pathlib.Path(path).read_text(encoding="utf-8")
            return _Reader(pathlib.Path(path).parent).settings(tomllib.loads(text))
        except (SettingsError, libattest.Error, OSError, ValueError) as error:
            raise SettingsError(f"{path}: {error}") from error


class _Reader:
    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder  # paths are relative to it
        self._pins: dict[str, str] = {}  # a key -> the host that has it
        self._nonces: Nonces | None = None
        self._keylime: libattest.Keylime | None = None

    def settings(self, values: dict[str, Any]) -> Settings:
        root = table("the file", values, server=dict, keylime={}, host=dict)
        server = table("server", root["server"], listen="127.0.0.1:8443", certificate=str, key=str,
                       auth_blob_file="", nonce_key_file="", workers=16, judges=16, timeout=60)  # fmt: skip
        if server["nonce_key_file"]:
            self._nonces = Nonces(self._nonce_key(server["nonce_key_file"]))
        if root["keylime"]:
            self._keylime = self._client(root["keylime"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder / server["certificate"], self._folder / server["key"])
        blob = server["auth_blob_file"]
        return Settings(address_of(server["listen"]), context, self._secret(blob) if blob else b"", server["workers"],
                        server["judges"], server["timeout"],
                        {name: self._host(name, of) for name, of in root["host"].items()}, self._nonces)  # fmt: skip

    def _secret(self, name: str) -> bytes:
        path = self._folder / name
        secret = path.read_bytes().strip()
        if not secret or path.stat().st_mode & 0o077:
            raise SettingsError(f"{path} is empty or can be read by others (chmod 600)")
        return secret

    def _nonce_key(self, name: str) -> bytes:
        key = bytes.fromhex(self._secret(name).decode("ascii"))
        if len(key) < KEY_BYTES:
            raise SettingsError(f"{name} has fewer than {KEY_BYTES} bytes (openssl rand -hex {KEY_BYTES})")
        return key

    def _client(self, values: object) -> libattest.Keylime:
        how = table("keylime", values, registrar=str, ca=str, cert=str, key=str, check_name=True)
        pem = {name: (self._folder / how[name]).read_bytes() for name in ("ca", "cert", "key")}
        return libattest.Keylime(registrar=how["registrar"], check_name=how["check_name"], **pem)

    def _host(self, name: str, values: object) -> Host:
        where = f"host {name!r}"
        host = table(where, values, policy=str, ak_name="", ak_sha256="", evidence="", agent="", max_age=3600, reuse=10)
        if bool(host["evidence"]) == bool(host["agent"]):
            raise SettingsError(f"{where} wants one of evidence and agent")
        policy = self._policy(where, host)
        if host["evidence"]:
            if self._nonces is None:
                raise SettingsError(f"{where} has an evidence folder, and server no nonce_key_file")
            return Host(name, Folder(name, self._folder / host["evidence"], host["max_age"], self._nonces), policy)
        if self._keylime is None:
            raise SettingsError(f"{where} has an agent, and there is no table keylime")
        agent = Agent(self._keylime, host["agent"], judged_pcrs(json.loads(policy.to_json())))
        # A TPM takes long for a quote: who asks often gets the last one's verdict, with its time.
        return Host(name, agent, policy, host["reuse"])

    def _policy(self, where: str, host: dict[str, Any]) -> libattest.Policy:
        """Its policy, with its own key in the place of those that the file pins."""
        text = (self._folder / host["policy"]).read_bytes()
        policy = json.loads(libattest.Policy.parse(text).to_json())
        if bool(host["ak_name"]) == bool(host["ak_sha256"]):
            raise SettingsError(f"{where} wants one of ak_name and ak_sha256: its name alone proves nothing")
        pin = (host["ak_name"] or host["ak_sha256"]).lower()
        if pin in self._pins:  # one machine would stand for two
            raise SettingsError(f"{where} has the key of {self._pins[pin]}")
        self._pins[pin] = where
        for pinned in ("names", "keys"):
            policy["ak"].pop(pinned, None)
        policy["ak"]["names" if host["ak_name"] else "keys"] = [pin]
        return libattest.Policy.parse(json.dumps(policy))


def address_of(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise SettingsError(f"server: listen is not ADDRESS:PORT but {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)

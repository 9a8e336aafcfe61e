# SPDX-License-Identifier: Apache-2.0
"""How services asked OpenAttestation's PollHosts, and what they took of its answers.

Each is what the service did on the wire, and each raises where the service would have failed.
"""

import datetime
import http.client
import json
import pathlib
import re
import ssl

V1_0 = "/OpenAttestationWebServices/V1.0"
V1_5 = "/AttestationService/resources"


def context_of(ca: pathlib.Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


def post(port: int, ca: pathlib.Path, path: str, body: bytes | str, headers: dict[str, str], timeout: float = 60):
    """(status, body)"""
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context_of(ca), timeout=timeout)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def nova_filter(port: int, ca: pathlib.Path, names: list[str], *, url: str = V1_0, blob: str = ""):
    """TrustedFilter, Folsom to Pike: {name: (trust_lvl, naive UTC of vtime)}, or None where it found nothing.

    A level that no flavor can ask for is what it made of a vtime that it could not read.
    """
    headers = {"content-type": "application/json", "Accept": "application/json"}
    if blob:
        headers["x-auth-blob"] = blob
    body = json.dumps({"count": len(names), "hosts": names})
    status, text = post(port, ca, url + "/PollHosts", body, headers)
    if status not in (200, 201, 202, 204):
        return None
    out = {}
    for host in json.loads(text)["hosts"]:
        level = host["trust_lvl"]
        try:
            when = datetime.datetime.fromisoformat(host["vtime"])
            when = when.astimezone(datetime.UTC).replace(tzinfo=None)
        except ValueError:
            level, when = "unknown", None
        out[host["host_name"]] = (level, when)
    return out


def nova_first_filter(port: int, ca: pathlib.Path, name: str):
    """The filter's first version asked about one host, which was no list."""
    body = json.dumps({"count": 1, "hosts": name})
    status, text = post(port, ca, V1_0 + "/PollHosts", body, {"content-type": "application/json"})
    return json.loads(text)["hosts"][0]["trust_lvl"] if status == 200 else None


# What oVirt's engine made of an answer; every other word was an exception.
OVIRT_LEVELS = {"UNTRUSTED", "TRUSTED", "UNKNOWN", "TIMEOUT"}


def ovirt_engine(port: int, ca: pathlib.Path, names: list[str]):
    """{name: level}; no entry for what it could not read."""
    listed = ",".join(f'"{name}"' for name in names)
    headers = {"Accept": "application/json", "Content-type": "application/json"}
    status, text = post(port, ca, V1_5 + "/PollHosts", '{"hosts":[' + listed + "]}", headers)
    if status != 200:
        return {}
    out = {}
    for host in json.loads(text)["hosts"]:
        level = host["trust_lvl"].upper()
        if level not in OVIRT_LEVELS:
            raise ValueError(level)
        out[host["host_name"]] = level
    return out


def oat_1_streaming_client(port: int, ca: pathlib.Path, names: list[str]):
    """Clients made after OAT's own example read members in one order and knew no others: {name: level}."""
    status, text = post(port, ca, V1_5 + "/PollHosts", json.dumps({"hosts": names}), {"Content-type": "application/json"})
    entry = r'\{\s*"host_name":\s*"([^"]*)",\s*"trust_lvl":\s*"([a-z]*)",\s*"vtime":\s*"[^"]*"\s*\}'
    if status != 200 or not re.fullmatch(rf'\{{\s*"hosts":\s*\[\s*{entry}(\s*,\s*{entry})*\s*\]\s*\}}', text.decode()):
        raise ValueError(text)
    return dict(re.findall(entry, text.decode()))

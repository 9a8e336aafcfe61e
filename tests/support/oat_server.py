# SPDX-License-Identifier: Apache-2.0
"""An OpenAttestation (OAT) server that answers PollHosts as the real ones did, or fails as told.

    with OatServer(Pki(folder), "1.5") as oat:         # of DIALECTS
        oat.hosts |= {"n0": "trusted", "n1": "untrusted"}
        oat.fault = "vtime-2099"                       # of FAULTS; None: none
        ...                                            # oat.port, oat.api_url, oat.requests

What the dialects have in common is `{"hosts": [{"host_name", "trust_lvl", "vtime"}]}`. 1.0 asks as many
hosts as `count` says; 1.5 (to 1.7) refuses a whole request for one name, and has no time for hosts
that did not answer; 2 takes one host without a list, and its time is that of the request. "2-map" and
"2-wrapped" are what its documentation shows. It attests nobody.

From the command line (it says where it listens, then a line a request):

    python3 tests/support/oat_server.py --folder DIR --dialect 2 --host n0=trusted --fault 500
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import pathlib
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fault_server import Pki  # noqa: E402
from tls_server import TlsHandler, TlsServer  # noqa: E402

OLD_URL = "/OpenAttestationWebServices/V1.0"
NEW_URL = "/AttestationService/resources"
DIALECTS = {"1.0": OLD_URL, "1.5": NEW_URL, "2": NEW_URL, "2-map": NEW_URL, "2-wrapped": NEW_URL}
BLOB = "x-auth-blob"
MAX_NAME, REFUSED = 50, set("#&+:\"'")  # of 1.5


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    hosts: list[str] = dataclasses.field(default_factory=list)


class Refusal(Exception):
    """HTTP status 500 and the server's words."""


def iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).isoformat()


def iso_of_2(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"


def asctime(seconds: float) -> str:
    return time.asctime(time.gmtime(seconds))


def entries_of(answer: dict) -> list[dict]:
    """The fields of each host, whatever shape the answer has."""
    hosts = answer.get("PollHosts", answer)["hosts"]
    return list(hosts.values()) if isinstance(hosts, dict) else hosts


def with_time(change: Callable[[dict, str], None]):
    def apply(_server: "OatServer", _request: Request, answer: dict) -> dict:
        for entry in entries_of(answer):
            change(entry, "timestamp" if "timestamp" in entry else "vtime")
        return answer

    return apply


def with_level(level: object):
    return with_time(lambda entry, _: entry.update(trust_lvl=level))


def without_first(_server, _request, answer):
    hosts = answer.get("PollHosts", answer)["hosts"]
    if isinstance(hosts, dict):
        del hosts[next(iter(hosts))]
    else:
        del hosts[0]
    return answer


def twice(_server, request, answer):
    """Each host twice, and what is better comes last: what a table of names would keep."""
    hosts = answer.get("PollHosts", answer)["hosts"]
    if isinstance(hosts, list):
        answer.get("PollHosts", answer)["hosts"] = [e | {"trust_lvl": "untrusted"} for e in hosts] + [
            e | {"trust_lvl": "trusted"} for e in hosts
        ]
        return answer
    text = json.dumps(hosts)[1:-1]  # JSON as no dict can be: a name under which there are two values
    worse = text.replace('"trusted"', '"untrusted"')
    return ('{"hosts": {' + worse + ", " + text + "}}").encode()


def extra(_server, _request, answer):
    hosts = answer.get("PollHosts", answer)["hosts"]
    if isinstance(hosts, dict):
        hosts["intruder"] = next(iter(hosts.values())) | {"trust_lvl": "trusted"}
    else:
        hosts.append(hosts[0] | {"host_name": "intruder", "trust_lvl": "trusted"})
    return answer


def renamed(_server, _request, answer):
    hosts = answer.get("PollHosts", answer)["hosts"]
    if isinstance(hosts, dict):
        answer.get("PollHosts", answer)["hosts"] = {name.upper(): e for name, e in hosts.items()}
    else:
        for entry in hosts:
            entry["host_name"] = entry["host_name"].upper()
    return answer


# What becomes of a good answer: another one, or bytes.
CHANGES = {
    "missing": without_first,
    "duplicate": twice,
    "extra": extra,
    "renamed": renamed,
    "list": lambda server, request, answer: entries_of(answer),
    "object": lambda server, request, answer: {"hosts": dict.fromkeys(request.hosts, "trusted")},
    "no-hosts": lambda server, request, answer: {},
    "null": lambda server, request, answer: None,
    "text": lambda server, request, answer: b"trusted",
    "html": lambda server, request, answer: b"<html><body>trusted</body></html>",
    "empty": lambda server, request, answer: b"",
    "error-in-200": lambda server, request, answer: {"error_code": 500, "error_message": "no"} | answer,
    "deep": lambda server, request, answer: json.dumps(answer)[:-1].encode()
    + b', "x": ' + b"[" * 100000 + b"]" * 100000 + b"}",  # fmt: skip
    "vtime-missing": with_time(lambda entry, name: entry.pop(name, None)),
    "vtime-null": with_time(lambda entry, name: entry.update({name: None})),
    "vtime-number": with_time(lambda entry, name: entry.update({name: int(time.time())})),
    "vtime-2099": with_time(lambda entry, name: entry.update({name: "2099-01-01T00:00:00.000+0000"})),
    "vtime-local": with_time(lambda entry, name: entry.update({name: "Mo 29 Feb 2016 22:29:26 CET"})),
    "timeout-entries": with_time(lambda entry, name: (entry.update(trust_lvl="timeout"), entry.pop(name, None))),
    "level-case": with_level("Trusted"),
    "level-true": with_level(True),
}


def silent(server: "OatServer", connection: ssl.SSLSocket) -> None:
    connection.settimeout(0.1)
    while not server.ended.is_set():
        with contextlib.suppress(TimeoutError):
            if not connection.recv(1):
                return


def trickle(server: "OatServer", connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not server.ended.wait(0.05):
        connection.sendall(b" ")


def huge(server: "OatServer", connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not server.ended.is_set():
        connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")


def endless_headers(server: "OatServer", connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not server.ended.is_set():
        connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


def reset(_server: "OatServer", connection: ssl.SSLSocket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# What is done to the connection in the place of an answer.
BREAKS = {
    "slow-headers": silent,
    "slow-body": trickle,
    "huge": huge,
    "endless-headers": endless_headers,
    "reset": reset,
    "close": lambda server, connection: None,
    "no-http": lambda server, connection: connection.sendall(b"trusted\r\n\r\n"),
}
# HTTP statuses; those below 300 come with a good answer, but for 204.
STATUSES = {str(n): n for n in (201, 202, 203, 204, 206, 401, 403, 404, 500, 503)}
# "cut": less than its Content-Length says. "redirect": to `redirect_to`, with the same method.
# "repeat-blob": HTTP 500, whose words are the x-auth-blob that was sent.
OTHERS = ("cut", "redirect", "repeat-blob")
FAULTS = (*CHANGES, *BREAKS, *STATUSES, *OTHERS)


class OatServer:
    """`pki` is fault_server's; `certificate` one of its names: "server", and with these "misnamed",
    "foreign" and "expired" for clients that must not believe it."""

    def __init__(self, pki: Pki, dialect: str = "1.0", certificate: str = "server", port: int = 0) -> None:
        self.dialect = dialect
        self.api_url = DIALECTS[dialect]
        self.hosts: dict[str, str] = {}  # name -> trust_lvl; others are unknown
        self.times: dict[str, float] = {}  # name -> when it was measured; others now (never in 2)
        self.fault: str | None = None
        self.redirect_to = ""
        self.delay = 0.0  # seconds before each answer
        self.requests: list[Request] = []
        self.connections = 0
        self.ended = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.folder / f"{certificate}.crt", pki.folder / f"{certificate}.key")
        self._server = self._listen(context, port)
        self.port = self._server.port

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{self.api_url}/PollHosts"

    def __enter__(self) -> "OatServer":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.stop()

    # The dialects.

    def _entry(self, name: str, now: float) -> dict:
        level = self.hosts.get(name, "unknown")
        when = self.times.get(name, now)
        if self.dialect == "1.0":
            return {"host_name": name, "trust_lvl": level, "vtime": iso(when)}
        if self.dialect == "1.5":
            entry = {"host_name": name, "trust_lvl": level}
            if level == "timeout":
                return entry
            return entry | {
                "vtime": iso(when),
                "report_is_valid": True,
                "url": f"https://oat.example/report/{name}",
                "pcr_values": [{"pcr_number": "0", "pcr_value": "31a2f60e"}],
                "analysis_details": [{"analysis_name": "VALIDATE_PCR", "status": "ANALYSIS_COMPLETED"}],
            }
        return {"host_name": name, "trust_lvl": "unknown" if level in ("timeout", "pending") else level,
                "vtime": iso_of_2(now)}  # fmt: skip

    def _asked(self, body: bytes) -> list[str]:
        try:
            asked = json.loads(body)
            hosts = asked["hosts"]
            if isinstance(hosts, str) and self.dialect.startswith("2"):
                hosts = [hosts]
            if not isinstance(hosts, list) or not all(isinstance(name, str) for name in hosts):
                raise TypeError("hosts")
            if self.dialect == "1.0":
                return [hosts[i] for i in range(int(asked["count"]))]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise Refusal(f"the request is malformed: {error}") from error
        if self.dialect == "1.5":
            if not hosts:
                raise Refusal("no hosts")
            for name in hosts:
                if len(name) > MAX_NAME or REFUSED & set(name):
                    raise Refusal(f"invalid host name {name}")
        return hosts

    def _good(self, hosts: list[str]) -> dict:
        now = time.time()
        entries = [self._entry(name, now) for name in hosts]
        if self.dialect not in ("2-map", "2-wrapped"):
            return {"hosts": entries}
        by_name = {
            e["host_name"]: {
                "trust_lvl": e["trust_lvl"],
                "timestamp": asctime(self.times.get(e["host_name"], now)),
            }
            for e in entries
        }
        answer = {"count": len(by_name), "hosts": by_name}
        return {"PollHosts": answer} if self.dialect == "2-wrapped" else answer

    def _answer(self, request: Request) -> tuple[int, bytes]:
        """HTTP status and body, but for what is done to the connection."""
        if request.path != f"{self.api_url}/PollHosts":
            return 404, b"<html><body>HTTP Status 404</body></html>"
        if request.method != "POST":
            return 405, b""
        try:
            request.hosts = self._asked(request.body)
        except Refusal as refusal:
            return 500, json.dumps({"error_code": 500, "error_message": str(refusal)}).encode()
        fault = self.fault or ""
        if fault == "repeat-blob":
            words = f"not authorized: {request.headers.get(BLOB)}"
            return 500, json.dumps({"error_code": 500, "error_message": words}).encode()
        status = STATUSES.get(fault, 200)
        if status >= 400:
            return status, json.dumps({"error_code": status, "error_message": "as told"}).encode()
        answer: object = self._good(request.hosts)
        if fault in CHANGES:
            answer = CHANGES[fault](self, request, answer)
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    # HTTP.

    def _listen(self, context: ssl.SSLContext, port: int) -> TlsServer:
        double = self

        class Handler(TlsHandler):
            def setup(self) -> None:
                double.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                double.requests.append(request)
                double.ended.wait(double.delay)
                status, text = double._answer(request)
                fault = double.fault or ""
                if fault in BREAKS:
                    self.close_connection = True
                    BREAKS[fault](double, self.connection)
                elif fault == "redirect":
                    self._send(307, b"", {"Location": double.redirect_to})
                elif fault == "cut":
                    self.close_connection = True
                    self._send(status, text, {"Content-Length": str(len(text) + 1)})
                else:
                    self._send(status, text, {})

            do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

            def _send(self, status: int, text: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                if status == 204:
                    text = b""
                else:
                    headers = {"Content-Type": "application/json", "Content-Length": str(len(text))} | headers
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

        return TlsServer(context, Handler, port=port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where the certificates are made")
    parser.add_argument("--dialect", choices=DIALECTS, default="1.0")
    parser.add_argument("--certificate", choices=["server", "misnamed", "foreign", "expired"], default="server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", action="append", default=[], metavar="NAME=LEVEL")
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--redirect-to", default="", metavar="URL")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with OatServer(Pki(options.folder), options.dialect, options.certificate, options.port) as server:
        server.hosts = dict(one.split("=", 1) for one in options.host)
        server.fault = options.fault
        server.redirect_to = options.redirect_to
        ca = options.folder / "ca.crt"
        print(json.dumps({"port": server.port, "api_url": server.api_url, "ca": str(ca)}), flush=True)
        shown = 0
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.2)
                for request in server.requests[shown:]:
                    print(json.dumps({"path": request.path, "hosts": request.hosts}), flush=True)
                    shown += 1


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""attest oat against a double of an OpenAttestation server."""

import pathlib
import shutil
import sys
import tempfile
import unittest

from command_case import SOURCE, CommandCase

sys.path.insert(0, str(SOURCE / "tests" / "support"))
from fault_server import FaultServer, Pki, answer  # noqa: E402
from oat_server import DIALECTS, FAULTS, OatServer  # noqa: E402

TIME = 1456784966  # 2016-02-29T22:29:26Z
AT = "2016-02-29T22:29:26Z"


class Oat(CommandCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="attest-oat-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.pki = Pki(folder)

    def server(self, dialect="1.0", certificate="server"):
        server = self.enterContext(OatServer(self.pki, dialect, certificate))
        server.hosts |= {"n0": "trusted", "n1": "untrusted", "n2": "trusted"}
        server.times |= dict.fromkeys(("n0", "n1", "n2"), TIME)
        return server

    def words(self, server, *more, **changes):
        options = {
            "--server": "127.0.0.1",
            "--port": str(server.port),
            "--ca": self.pki.folder / "ca.crt",
            "--api-url": server.api_url,
        } | changes
        pairs = [word for name, value in options.items() if value is not None for word in (name, value)]
        return ["oat", "poll", *pairs, *more]

    def test_trusted_hosts_are_status_0(self):
        for dialect in DIALECTS:
            with self.subTest(dialect):
                text = self.good(*self.words(self.server(dialect), "n0", "n2"))
                self.assertRegex(text, r"\An0: trusted at \d{4}-\S+Z\nn2: trusted at \d{4}-\S+Z\n\Z")

    def test_each_host_has_its_line(self):
        server = self.server()
        text = self.bad(*self.words(server, "n1", "n0", "n3", "a b", "n0"))
        self.assertEqual(
            text.splitlines(),
            [
                f"n1: untrusted at {AT}",
                f"n0: trusted at {AT}",
                "n3: unknown (unknown)",
                "a b: unknown (name-refused)",
                f"n0: trusted at {AT}",
            ],
        )
        self.assertEqual(server.requests[0].hosts, ["n1", "n0", "n3"])

    def test_the_json_is_an_object(self):
        server = self.server()
        said = self.json(self.bad(*self.words(server, "n0", "n1", "x\x1b\\", "--json")))
        self.assertEqual(
            said,
            {
                "hosts": [
                    {"host": "n0", "verdict": "trusted", "measured_at": AT, "reason": "answered"},
                    {"host": "n1", "verdict": "untrusted", "measured_at": AT, "reason": "answered"},
                    {"host": "x\\x1b\\x5c", "verdict": "unknown", "measured_at": None, "reason": "name-refused"},
                ],
                "ignored": 0,
            },
        )
        server.fault = "extra"
        self.assertEqual(self.json(self.good(*self.words(server, "n0", "--json")))["ignored"], 1)
        self.assertIn("and 1 that were not asked for", self.good(*self.words(server, "n0")))

    def test_bytes_that_are_no_text_are_escaped(self):
        said = self.json(self.bad(*self.words(self.server(), b"n\xff", "--json")))
        self.assertEqual(said["hosts"][0]["host"], "n\\xff")

    def test_options_may_stand_before_the_command(self):
        words = self.words(self.server())
        self.good(words[0], *words[2:], "--no-name-check", "poll", "n0")

    def test_no_fault_is_status_0_without_the_servers_word(self):
        server = self.server()
        for fault in FAULTS:
            with self.subTest(fault):
                server.fault = fault
                words = self.words(server, "n0", "--timeout", "1")
                if fault in ("201", "202", "extra"):
                    self.good(*words)
                elif fault in ("missing", "renamed", "duplicate", "timeout-entries") or fault.startswith(
                    ("vtime-", "level-")
                ):
                    self.assertIn("n0: un", self.bad(*words))
                else:
                    self.refused(*words)

    def test_what_fails_is_status_2_with_one_line(self):
        server = self.server()
        here = f"127.0.0.1:{server.port}"
        self.refused(*self.words(server, "n0", **{"--ca": self.pki.folder / "other.crt"}), says=[here])
        self.refused(*self.words(server, "n0", **{"--port": "1"}), says=["127.0.0.1:1"])
        self.refused(*self.words(server, "n0", **{"--api-url": "/x"}), says=["404"])
        self.refused(*self.words(server, "n0", **{"--api-url": "x"}), says=["'x'"])
        self.refused(*self.words(server, "n0", **{"--server": "a/b"}), says=["a/b"])
        self.refused(*self.words(server, "n0", **{"--server": None}), says=["--server is missing"])
        self.refused(*self.words(server, "n0", **{"--ca": None}), says=["--ca is missing"])
        self.refused(*self.words(server, "n0", **{"--ca": "/nonexistent"}), says=["/nonexistent"])
        self.refused(*self.words(server, "n0", **{"--cert": self.pki.folder / "client.crt"}))
        for port in ("0", "65536", "x", "-1", "1.5", "99999999"):
            self.refused(*self.words(server, "n0", **{"--port": port}), says=["--port"])
        for timeout in ("0", "x", "9999999"):
            self.refused(*self.words(server, "n0", "--timeout=" + timeout), says=["--timeout"])

    def test_names_are_checked_unless_told_otherwise(self):
        misnamed = self.server(certificate="misnamed")
        self.refused(*self.words(misnamed, "n0"), says=["name"])
        self.good(*self.words(misnamed, "n0", "--no-name-check"))
        self.refused(*self.words(self.server(certificate="foreign"), "n0", "--no-name-check"))

    def test_the_blob_is_one_line_of_a_file_and_is_not_shown(self):
        server = self.server()
        for content in ("secret:1", "secret:1\n", "secret:1\r\n"):
            blob = self.write("blob", content)
            self.good(*self.words(server, "n0", **{"--auth-blob-file": blob}))
            self.assertEqual(server.requests[-1].headers["x-auth-blob"], "secret:1")
        for content in ("secret\n\n", "secret\nX-Other: 1", "secret\0", "secr\xe9t"):
            blob = self.write("blob", content)
            line = self.refused(*self.words(server, "n0", **{"--auth-blob-file": blob}), says=["the auth blob"])
            self.assertNotIn("secr", line)
        server.fault = "repeat-blob"
        blob = self.write("blob", "secret:1")
        line = self.refused(*self.words(server, "n0", **{"--auth-blob-file": blob}), says=["500"])
        self.assertNotIn("secret", line)
        self.refused(*self.words(server, "n0", **{"--auth-blob-file": "/nonexistent"}))

    def test_a_certificate_is_shown_where_there_is_one(self):
        path = "/OpenAttestationWebServices/V1.0"
        with FaultServer(self.pki, {f"POST {path}/PollHosts": answer(200, b'{"hosts": []}')}) as server:
            server.api_url = path
            self.refused(*self.words(server, "n0"))
            ours = {"--cert": self.pki.folder / "client.crt", "--key": self.pki.folder / "client.key"}
            self.assertIn("not-answered", self.bad(*self.words(server, "n0", **ours)))


if __name__ == "__main__":
    unittest.main()

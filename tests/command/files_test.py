# SPDX-License-Identifier: Apache-2.0
"""Files that can not be read, and output that can not be written."""

import os
import re
import subprocess
import threading
import unittest

from command_case import COMMAND, GRUB, CommandCase, log_options, quote_options, run, words

RULES = ["--policy", "--runtime-policy", "--allowlist", "--tpm-policy"]
MAY_BE_EMPTY = ["--ima", "--eventlog", "--allowlist", "--excludelist"]
LIST = GRUB / "1-clean" / "ima.bin"
LOG = GRUB / "binary_bios_measurements"


def in_shell(command, *arguments):
    return subprocess.run(
        ["sh", "-c", command, COMMAND, *map(os.fspath, arguments)],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )


def without_time(output):
    return re.sub(rb'"time":\d+', b"", output)


class Inputs(CommandCase):
    def with_each_input(self, path):
        """Command lines that name `path` where a file is read."""
        good = {**quote_options(), **log_options()}
        for name in good:
            if name != "--nonce":
                yield ["verify", *words({**good, name: path})]
        for name in RULES:
            yield ["verify", *words(good), name, path]
        for name in ["--allowlist-checksum", "--excludelist"]:
            yield ["verify", *words(good), "--allowlist", self.allowlist(), name, path]
        yield ["quote", "--ak", good["--ak"], "--nonce", "n", "--keylime-quote", path]
        for name in list(quote_options())[:4]:
            yield ["quote", *words({**quote_options(), name: path})]
            yield ["policy", "create", *words({**good, name: path})]
        yield ["eventlog", path]
        yield ["ima", path]
        yield ["policy", "check", path]

    def refused_everywhere(self, path, *says):
        for line in self.with_each_input(path):
            for more in [[], ["--json"]] if line[0] != "policy" else [[]]:
                with self.subTest(line + more):
                    self.refused(*line, *more, says=[path, *says])

    def test_missing(self):
        self.refused_everywhere(self.folder / "nothing", "No such file or directory")

    def test_a_folder(self):
        self.refused_everywhere(self.folder, "Is a directory")

    def test_unreadable(self):
        path = self.write("secret", LIST.read_bytes())
        path.chmod(0)
        for line in self.with_each_input(path):
            with self.subTest(line):
                command = [COMMAND, *map(os.fspath, line)]
                if os.geteuid() == 0:  # what root may not read without its capabilities
                    drop = "-dac_override,-dac_read_search"
                    command = ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", *command]
                done = subprocess.run(command, capture_output=True, check=False, timeout=60)
                self.assertEqual((done.returncode, done.stdout), (2, b""), done)
                self.assertRegex(done.stderr.decode(), r"\A[^\n]*secret: Permission denied\n\Z")

    def test_huge(self):
        path = self.folder / "huge"
        with path.open("wb") as file:
            file.truncate(5 << 30)
        for line in self.with_each_input(path):
            with self.subTest(line):
                # The list is read as a stream: its first record is wrong.
                streamed = (
                    line[0] == "ima" or "--ima" in line and line[line.index("--ima") + 1] == path
                )
                self.refused(*line, says=[path] if streamed else [path, "larger than", "MiB"])

    def test_endless(self):
        for line in self.with_each_input("/dev/zero"):
            if "--ima" in line and line[line.index("--ima") + 1] == "/dev/zero" or line[0] == "ima":
                self.refused(*line, says=["/dev/zero"])
            elif line[0] == "quote":  # 1 MiB is read of each; the large ones are slow
                self.refused(*line, says=["/dev/zero: larger than 1 MiB"])

    def test_empty(self):
        path = self.write("empty", b"")
        accepted = [["eventlog", path], ["ima", path]]
        for line in self.with_each_input(path):
            if line in accepted or line[line.index(path) - 1] in MAY_BE_EMPTY:
                self.assertNotEqual(run(*line).returncode, 2, line)
                continue
            with self.subTest(line):
                self.refused(*line, says=[path])
        self.good(*accepted[0])
        self.good(*accepted[1])

    def test_a_file_in_the_place_of_a_folder(self):
        self.refused("verify", "--evidence", LIST, says=[LIST, "Not a directory"])

    def test_a_pipe_is_as_good_as_a_file(self):
        plain = self.good("eventlog", LOG)
        path = self.folder / "pipe"
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=[LOG.read_bytes()])
        writer.start()
        self.assertEqual(self.good("eventlog", path), plain)
        writer.join()

    def test_garbage(self):
        path = self.write("garbage", b"\xff\x00garbage(\n" * 50)
        for line in self.with_each_input(path):
            name = line[line.index(path) - 1]
            with self.subTest(line):
                if name in ("--quote", "--signature"):
                    # Another magic and an unknown scheme are findings.
                    self.assertEqual(run(*line).returncode, 1)
                else:
                    self.refused(*line, says=[path])


class StandardInput(CommandCase):
    def test_a_list(self):
        for name in ["ima.bin", "ima.ascii"]:
            content = (GRUB / "1-clean" / name).read_bytes()
            for more in [[], ["--json"], ["--bank", "sha1"]]:
                self.assertEqual(
                    self.good("ima", "-", *more, input=content),
                    self.good("ima", GRUB / "1-clean" / name, *more),
                )

    def test_a_list_that_comes_in_drops(self):
        read, write = os.pipe()
        content = LIST.read_bytes()

        def drip():
            with os.fdopen(write, "wb", buffering=0) as pipe:
                for at in range(0, len(content), 37):
                    pipe.write(content[at : at + 37])

        writer = threading.Thread(target=drip)
        writer.start()
        with os.fdopen(read, "rb") as pipe:
            text = self.good("ima", "-", stdin=pipe)
        writer.join()
        self.assertEqual(text, self.good("ima", LIST))

    def test_a_list_that_breaks_off(self):
        content = LIST.read_bytes()
        for length in [1, 3, 40, len(content) - 1]:
            self.refused("ima", "-", input=content[:length], says=["standard input"])

    def test_no_standard_input(self):
        done = in_shell('exec "$0" ima - <&-')
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertEqual(done.stderr, b"attest ima: standard input: Bad file descriptor\n")

    def test_only_ima_reads_it(self):
        content = LOG.read_bytes()
        self.refused("eventlog", "-", input=content, says=["-: No such file"])
        self.refused("policy", "check", "-", input=b"{}", says=["-: No such file"])
        self.refused(
            "verify",
            *words({**quote_options(), "--ima": "-"}),
            input=content,
            says=["-: No such file"],
        )


class Output(CommandCase):
    LINES = [
        ["--help"],
        ["--version"],
        ["verify", "--help"],
        ["eventlog", LOG],
        ["eventlog", LOG, "--json"],
        ["ima", LIST],
        ["ima", LIST, "--json"],
        ["quote", *words(quote_options())],
        ["verify", *words(quote_options()), "--json"],
        ["policy", "create", *words({**quote_options(), **log_options()})],
    ]

    def test_that_can_not_be_written(self):
        for line in self.LINES:
            for where, why in [(">&-", "Bad file descriptor"), (">/dev/full", "No space left")]:
                with self.subTest((line, where)):
                    done = in_shell(f'exec "$0" "$@" {where}', *line)
                    self.assertEqual(done.returncode, 2, done)
                    self.assertRegex(
                        done.stderr.decode(), rf"\Aattest.*: standard output: {why}.*\n\Z"
                    )

    def test_without_standard_error(self):
        for line in self.LINES:
            with self.subTest(line):
                usual = subprocess.run(
                    [COMMAND, *map(os.fspath, line)], capture_output=True, check=False
                )
                done = in_shell('exec "$0" "$@" 2>&-', *line)
                self.assertEqual(done.returncode, usual.returncode)
                self.assertEqual(without_time(done.stdout), without_time(usual.stdout))
        self.assertEqual(in_shell('exec "$0" ima nothing 2>&-').returncode, 2)
        self.assertEqual(in_shell('exec "$0" ima nothing 2>/dev/full').returncode, 2)

    def test_without_any_descriptor(self):
        """Nothing that is opened lands on descriptors 0 to 2."""
        path = self.folder / "policy.json"
        line = ["policy", "create", *words({**quote_options(), **log_options()}), "--output", path]
        self.assertEqual(in_shell('exec "$0" "$@" <&- >&- 2>&-', *line).returncode, 0)
        self.good("policy", "check", path)

    def test_files_are_closed_on_exec(self):
        """Every file is opened so that no child would have it."""
        trace = self.folder / "trace"
        done = subprocess.run(
            [
                "strace",
                "-f",
                "-e",
                "trace=openat,open",
                "-o",
                trace,
                COMMAND,
                "verify",
                *map(os.fspath, words({**quote_options(), **log_options()})),
            ],
            capture_output=True,
            check=False,
        )
        if not trace.exists() or not trace.read_text().strip():
            self.skipTest(f"strace does not work here: {done.stderr.decode()[:100]}")
        opened = [line for line in trace.read_text().splitlines() if str(GRUB) in line]
        self.assertEqual(len(opened), 6)
        for line in opened:
            self.assertIn("O_CLOEXEC", line)


class Memory(CommandCase):
    def test_a_list_is_never_held(self):
        """A list of 100 MiB passes through a program that has less address space."""
        entries = (GRUB / "1-clean" / "ima.bin").read_bytes()
        path = self.folder / "long"
        with path.open("wb") as file:
            for _ in range((100 << 20) // len(entries)):
                file.write(entries)
        limited = 'ulimit -v 98304; exec "$0" "$@"'
        if in_shell(limited, "--version").returncode != 0:
            self.skipTest("not even its version: a sanitizer reserves address space")
        done = in_shell(limited, "ima", path)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)


if __name__ == "__main__":
    unittest.main()

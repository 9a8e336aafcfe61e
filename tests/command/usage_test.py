# SPDX-License-Identifier: Apache-2.0
"""How the attest command is called: commands, options, help."""

import json
import os
import shutil
import subprocess
import unittest

from command_case import GRUB, NONCE, SOURCE, CommandCase, log_options, quote_options, run, words

QUOTE = ["--evidence", "--ak", "--quote", "--signature", "--pcrs", "--keylime-quote", "--nonce"]
EVIDENCE = [*QUOTE, "--eventlog", "--launch-log", "--ima"]
RULES = [
    "--policy",
    "--runtime-policy",
    "--allowlist",
    "--allowlist-checksum",
    "--excludelist",
    "--tpm-policy",
    "--ima-digest",
    "--allow-sha1",
]
KEYLIME = [
    *("--verifier", "--registrar", "--ca", "--cert", "--key", "--no-name-check", "--timeout", "--json"),
]
KEYLIME_POLICIES = [
    *("--runtime-policy", "--allowlist", "--excludelist", "--tpm-policy", "--mb-policy", "--policy-name"),
]
OAT = [
    *("--server", "--port", "--ca", "--api-url", "--auth-blob-file", "--cert", "--key"),
    *("--no-name-check", "--timeout", "--json"),
]
RENDER = [
    *("--format", "--kernel", "--ramdisk", "--root-uuid", "--append", "--tboot", "--tboot-args"),
    *("--mboot", "--literal-mboot", "--ipxe-timeout", "--complete"),
]
COMPLETE = [
    *("--deploy-kernel", "--deploy-ramdisk", "--deploy-append", "--trusted-deploy"),
    *("--ramdisk-append", "--kickstart", "--stage2", "--repository", "--tftp-server"),
]
SWITCH = ["--label", "--root-uuid", "--disk-identifier", "--boot-mode", "--ipxe"]
ACCEPTS = {
    ("verify",): [*EVIDENCE, *RULES, "--json"],
    ("quote",): [*QUOTE, "--allow-sha1", "--json"],
    ("eventlog",): ["--launch", "--json"],
    ("ima",): ["--bank", "--json"],
    ("policy", "create"): [*EVIDENCE, "--profile", "--allow-sha1", "--output"],
    ("policy", "check"): [],
    ("keylime", "add"): [*KEYLIME, *KEYLIME_POLICIES],
    ("keylime", "status"): KEYLIME,
    ("keylime", "wait"): KEYLIME,
    ("keylime", "delete"): KEYLIME,
    ("keylime", "list"): KEYLIME,
    ("keylime", "quote"): KEYLIME,
    ("keylime", "doctor"): [*KEYLIME, "--config"],
    ("keylime", "policy", "create"): [*KEYLIME, "--runtime-policy", "--mb-policy"],
    ("keylime", "policy", "show"): [*(o for o in KEYLIME if o != "--json"), "--kind"],
    ("keylime", "policy", "list"): [*KEYLIME, "--kind"],
    ("keylime", "policy", "delete"): [*KEYLIME, "--kind"],
    ("oat", "poll"): OAT,
    ("boot-config", "render"): [*RENDER, *COMPLETE, "--output"],
    ("boot-config", "switch"): [*SWITCH, "--json"],
    ("boot-config", "check"): ["--boot-root", "--label", "--format", "--json"],
}
FLAGS = [
    *("--json", "--allow-sha1", "--no-name-check", "--launch"),
    *("--literal-mboot", "--complete", "--trusted-deploy", "--ipxe"),
]
ALL = sorted({option for options in ACCEPTS.values() for option in options})
OPERAND = [
    *(("eventlog",), ("ima",), ("policy", "check")),
    *(("boot-config", "switch"), ("boot-config", "check")),
    *(("keylime", command) for command in ("add", "status", "wait", "delete", "quote")),
    *(("keylime", "policy", command) for command in ("create", "show", "delete")),
]
MANY = [("oat", "poll")]
# What does not exist yet, and what is nearly right.
NEVER = [
    "--refstate",
    "--ek-cert",
    "--ek-ca",
    "--node-state",
    "--evid",
    "--JSON",
    "--nonce-hex",
    "-j",
    "-h",
    "-",
]


class Help(CommandCase):
    def test_every_command_explains_itself(self):
        for command, options in ACCEPTS.items():
            with self.subTest(command):
                text = self.good(*command, "--help")
                self.assertTrue(text.startswith(f"Usage: attest {' '.join(command)}"))
                self.assertIn("Exit status:", text)
                self.assertIn("Example", text)
                for option in options:
                    self.assertRegex(text, rf"{option}\b")

    def test_help_fits_a_terminal(self):
        for command in [(), ("policy",), ("keylime",), ("oat",), ("boot-config",), *ACCEPTS]:
            with self.subTest(command):
                for line in self.good(*command, "--help").splitlines():
                    self.assertLessEqual(len(line), 80, line)
                    self.assertEqual(line.rstrip(), line)

    def test_help_comes_wherever_it_is_asked(self):
        self.assertIn("Usage", self.good("verify", "--json", "--help", "--unknown"))

    def test_help_lists_every_command(self):
        text = self.good("--help")
        for command in ACCEPTS:
            self.assertRegex(text, rf"\n  {' '.join(command)}\s")

    def test_version(self):
        self.assertRegex(
            self.good("--version"), r"\Aattest \d+\.\d+\.\d+ \(libattest \d+\.\d+\.\d+\)\n\Z"
        )

    def test_the_manual_names_every_option_and_command(self):
        manual = (SOURCE / "examples" / "attest" / "attest.1").read_text()
        for option in ALL:
            self.assertRegex(manual, rf"(?m)^\.It Fl Fl {option[2:]}\b")
        for command in ACCEPTS:
            self.assertRegex(manual, rf"(?m)^\.It Cm {' '.join(command)}$")

    def test_the_manual_names_every_json_key(self):
        manual = (SOURCE / "examples" / "attest" / "attest.1").read_text()
        options = words({**quote_options("2-tampered"), **log_options("2-tampered")})
        report = json.loads(run("verify", *options, "--json").stdout)
        log = self.json(self.good("eventlog", GRUB / "binary_bios_measurements", "--json"))
        list_ = self.json(self.good("ima", GRUB / "1-clean" / "ima.bin", "--json"))
        claims = report["claims"]
        objects = [report, report["findings"][0], claims, claims["pcrs"]["sha256"]["0"], log, list_]
        objects += log["events"]
        for key in {key for object_ in objects for key in object_}:
            with self.subTest(key):
                self.assertRegex(manual, rf'"{key}"|Sy {key}\b')

    def test_the_manual_has_no_mistakes_of_form(self):
        if shutil.which("man") is None:
            self.skipTest("man is not installed")
        done = subprocess.run(
            ["man", "--warnings", "-l", SOURCE / "examples" / "attest" / "attest.1"],
            env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "MANWIDTH": "80"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"EXIT STATUS", done.stdout)


class Commands(CommandCase):
    def test_no_command(self):
        self.refused(says=["see attest --help"])

    def test_unknown_commands(self):
        for name in ["boot", "oatd", "vtpm", "verif", "VERIFY", "", "help", "-"]:
            with self.subTest(name):
                self.refused(name, says=["see attest --help"])

    def test_a_half_policy_command(self):
        self.refused("policy", says=["see attest policy --help"])
        self.refused("policy", "delete", says=["delete", "see attest policy --help"])
        self.refused("policycreate")
        self.refused("policy create")

    def test_a_half_keylime_command(self):
        self.refused("keylime", says=["see attest keylime --help"])
        self.refused("keylime", "restart", says=["restart", "see attest keylime --help"])
        self.refused("keylime", "policy", says=["see attest keylime --help"])
        self.refused("keylime", "policy", "restart", says=["see attest keylime --help"])
        self.assertIn("Usage: attest keylime", self.good("keylime", "policy", "--help"))
        self.refused("keylime", "policy", "--json", says=["see attest keylime --help"])
        self.refused("keylime", "--json", says=["see attest keylime --help"])
        self.assertIn("Usage: attest keylime", self.good("keylime", "--help"))

    def test_a_half_oat_command(self):
        self.refused("oat", says=["poll is missing", "see attest oat --help"])
        self.refused("oat", "ask", says=["ask", "see attest oat --help"])
        self.refused("oat", "--json", says=["see attest oat --help"])
        self.assertIn("Usage: attest oat poll", self.good("oat", "--help"))

    def test_options_stand_behind_the_command(self):
        self.refused("--json", "verify", says=["unknown option '--json'"])
        self.refused("--help", "verify", says=["unexpected argument 'verify'"])
        self.refused("--version", "1", says=["unexpected argument '1'"])


class Options(CommandCase):
    def test_options_of_other_commands_and_of_none_are_unknown(self):
        for command, accepted in ACCEPTS.items():
            for option in {*ALL, *NEVER} - {*accepted, "-"}:
                with self.subTest((command, option)):
                    name = f"attest {' '.join(command)}"
                    self.refused(
                        *command,
                        option,
                        "x",
                        says=[f"{name}: unknown option {option}", f"see {name} --help"],
                    )

    def test_every_option_is_given_once(self):
        for command, accepted in ACCEPTS.items():
            for option in accepted:
                once = [option] if option in FLAGS else [option, "x"]
                with self.subTest((command, option)):
                    self.refused(*command, *once, *once, says=[f"{option} is given twice"])

    def test_a_value_is_missing(self):
        for command, accepted in ACCEPTS.items():
            for option in set(accepted) - set(FLAGS):
                for rest in [[option], [option, "--json"], [option, ""], [f"{option}="]]:
                    with self.subTest((command, rest)):
                        self.refused(*command, *rest, says=[f"{option} wants a value"])

    def test_flags_take_no_value(self):
        self.refused("verify", "--json=yes", says=["--json takes no value"])
        self.refused("verify", "--allow-sha1=", says=["--allow-sha1 takes no value"])

    def test_stray_and_missing_operands(self):
        for command in ACCEPTS:
            with self.subTest(command):
                if command in OPERAND:
                    names = {"keylime": "NAME" if command[1:2] == ("policy",) else "UUID"}
                    operand = names.get(command[0], "FILE")
                    self.refused(*command, says=[f"{operand} is missing"])
                    self.refused(*command, "", says=[f"{operand} is empty"])
                    self.refused(*command, "a", "b", says=["unexpected argument 'b'"])
                    self.refused(*command, "--", "a", "--", says=["unexpected argument '--'"])
                elif command in MANY:
                    self.refused(*command, says=["HOST is missing"])
                    self.refused(*command, "a", "", says=["HOST is empty"])
                    self.refused(*command, *["a"] * 1001, says=["unexpected argument 'a'", "too many"])
                else:
                    self.refused(*command, "stray", says=["unexpected argument 'stray'"])
                    self.refused(*command, "--", "--json", says=["unexpected argument '--json'"])

    def test_values_may_be_joined_and_options_in_any_order(self):
        options = quote_options()
        joined = [f"{name}={value}" for name, value in options.items()]
        self.assertEqual(self.good("quote", *joined), self.good("quote", *words(options)))
        reverse = dict(reversed(options.items()))
        self.assertEqual(self.good("quote", *words(reverse)), self.good("quote", *words(options)))

    def test_names_that_look_like_options(self):
        list_ = (GRUB / "1-clean" / "ima.bin").read_bytes()
        self.write("--json", list_)
        text = self.good("ima", "--", "--json", cwd=self.folder)
        self.assertEqual(text, self.good("ima", GRUB / "1-clean" / "ima.bin"))


class Evidence(CommandCase):
    def test_each_single_file_is_needed(self):
        for command in [("verify",), ("quote",), ("policy", "create")]:
            for name in quote_options():
                options = quote_options()
                del options[name]
                with self.subTest((command, name)):
                    self.refused(*command, *words(options), says=[f"{name}", "is missing"])

    def test_a_keylime_quote_needs_key_and_nonce(self):
        self.refused("quote", "--keylime-quote", "q", "--nonce", "n", says=["--ak is missing"])
        self.refused("quote", "--keylime-quote", "q", "--ak", "a", says=["--nonce is missing"])

    def test_two_sorts_of_evidence_contradict_each_other(self):
        for name in ["--quote", "--signature", "--pcrs", "--keylime-quote", "--eventlog", "--ima"]:
            with self.subTest(name):
                self.refused(
                    "verify",
                    "--evidence",
                    self.evidence(name=name),
                    name,
                    "x",
                    says=["--evidence", name, "contradict"],
                )
        for name in ["--quote", "--signature", "--pcrs"]:
            with self.subTest(name):
                self.refused(
                    "quote",
                    "--keylime-quote",
                    "x",
                    name,
                    "x",
                    "--ak",
                    "x",
                    "--nonce",
                    "n",
                    says=["--keylime-quote", name, "contradict"],
                )

    def test_nonces_are_hexadecimal(self):
        options = quote_options()
        for nonce, wrong in [
            ("0", "even number"),
            (NONCE + "0", "even number"),
            ("0x" + NONCE, "position 1"),
            (NONCE[:-1] + "g", "position 31"),
            (" " + NONCE[1:], "position 0"),
            ("zz", "position 0"),
        ]:
            with self.subTest(nonce):
                options["--nonce"] = nonce
                self.refused("quote", *words(options), says=["--nonce", wrong])
        options["--nonce"] = NONCE.upper()
        self.good("quote", *words(options))

    def test_rules_that_need_another(self):
        options = words(quote_options())
        self.refused(
            "verify", *options, "--excludelist", "x", says=["--excludelist needs --allowlist"]
        )
        self.refused(
            "verify",
            *options,
            "--allowlist-checksum",
            "x",
            says=["--allowlist-checksum needs --allowlist"],
        )

    def test_enumerated_values(self):
        options = words({**quote_options(), **log_options()})
        for name in ["NATIVE", "padded-", "old", "1"]:
            self.refused(
                "verify", *options, "--ima-digest", name, says=["--ima-digest", f"'{name}'"]
            )
        for bank in ["sha257", "SHA256", "md5", "10"]:
            self.refused("ima", GRUB / "1-clean" / "ima.bin", "--bank", bank, says=[f"'{bank}'"])

    def test_the_line_stays_one_line_whatever_is_named(self):
        self.assertIn(r"a\x0ab\x1b[31m", self.refused("eventlog", "a\nb\x1b[31m"))
        self.assertIn(r"--a\x0db", self.refused("verify", "--a\rb"))
        self.assertIn(r"x\x0ay", self.refused("x\ny"))

    def test_very_long_words_are_refused_like_others(self):
        self.refused("eventlog", "x" * 100_000)
        self.refused("verify", "--" + "x" * 100_000)


class Environment(CommandCase):
    def test_it_is_not_looked_at(self):
        options = words({**quote_options(), **log_options()})
        plain = run("verify", *options)
        odd = run(
            "verify",
            *options,
            env={
                "LC_ALL": "de_DE.UTF-8",
                "LANGUAGE": "de",
                "POSIXLY_CORRECT": "1",
                "TSS2_LOG": "all+TRACE",
                "OPENSSL_CONF": "/nonexistent",
                "COLUMNS": "20",
            },
        )
        self.assertEqual(
            (plain.returncode, plain.stdout, plain.stderr), (odd.returncode, odd.stdout, odd.stderr)
        )


if __name__ == "__main__":
    unittest.main()

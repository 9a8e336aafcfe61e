# SPDX-License-Identifier: Apache-2.0
"""The documents do what they say: their examples run, and the policy shown is the library's."""

import json
import pathlib
import re
import subprocess

import pytest

import libattest
from conftest import ROOT, Boot

README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON_README = (ROOT / "bindings" / "python" / "README.md").read_text(encoding="utf-8")


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def lay_out(folder: pathlib.Path, boot: Boot, policy: libattest.Policy) -> None:
    """The files that the examples open."""
    for part, content in zip(("msg", "sig", "pcrs"), boot.quote, strict=True):
        (folder / f"quote.{part}").write_bytes(content)
    (folder / "ak.tss").write_bytes(boot.ak)
    (folder / "eventlog.bin").write_bytes(boot.eventlog)
    (folder / "ima.bin").write_bytes(boot.ima)
    (folder / "policy.json").write_text(policy.to_json())


# The examples leave closing what they open to Python.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestPython:
    def run_readme(self, boot: Boot, policy, folder, monkeypatch) -> list[str]:
        lay_out(folder, boot, policy)
        monkeypatch.chdir(folder)
        admitted: list[str] = []
        quote, signature, pcrs = boot.quote
        names = {"quote": quote, "signature": signature, "pcrs": pcrs, "ak": boot.ak}
        names |= {"log": boot.eventlog, "nonce": boot.nonce, "admit": lambda: admitted.append("it")}
        (example,) = blocks(README, "python")
        exec(compile(example, "README.md", "exec"), names)  # pylint: disable=exec-used
        return admitted

    def test_the_readmes_ten_lines_admit_a_good_node(
        self, clean, policy, tmp_path, monkeypatch, capsys
    ):
        assert self.run_readme(clean, policy, tmp_path, monkeypatch) == ["it"]
        assert capsys.readouterr().out == ""

    def test_the_readmes_ten_lines_say_why_not(
        self, tampered, policy, tmp_path, monkeypatch, capsys
    ):
        assert self.run_readme(tampered, policy, tmp_path, monkeypatch) == []
        assert "ima-not-listed" in capsys.readouterr().out

    def test_the_packages_example_says_why_not(
        self, tampered, policy, tmp_path, monkeypatch, capsys
    ):
        lay_out(tmp_path, tampered, policy)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(libattest, "make_nonce", lambda: tampered.nonce)
        exec(compile(blocks(PYTHON_README, "python")[0], "README.md", "exec"), {})
        assert "which the allowlist does not list" in capsys.readouterr().out

    def test_the_packages_example_learns(self, clean, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        names = {"libattest": libattest, "evidence": clean.evidence(), "nonce": clean.nonce}
        exec(compile(blocks(PYTHON_README, "python")[1], "README.md", "exec"), names)
        libattest.Policy.parse((tmp_path / "policy.json").read_bytes())


def test_the_ten_lines_of_c_compile(tmp_path):
    (example,) = blocks(README, "c")
    includes, body = example.split("\n\n", 1)
    given = ("ak", "quote", "sig", "pcrs", "log", "ima", "nonce")
    parameters = ", ".join(f"const uint8_t* {name}, size_t {name}_len" for name in given)
    source = tmp_path / "example.c"
    source.write_text(
        f"{includes}\nvoid admit(void);\n"
        f"void example(const attest_policy* policy, {parameters});\n"
        f"void example(const attest_policy* policy, {parameters}) {{\n{body}}}\n"
    )
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", ROOT / "include"]
    done = subprocess.run(["cc", *flags, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def shown_policy() -> dict:
    """The policy in the README, with digests where it leaves them out."""

    def fill(value, size):
        if isinstance(value, dict):
            return {key: fill(item, 34 if key == "names" else size) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, size) for item in value]
        if isinstance(value, str) and value.endswith("…"):
            return (value.removesuffix("…").ljust(2 * size, "0"))[: 2 * size]
        return value

    (text,) = blocks(README, "json")
    return fill(json.loads(text), 32)


def keys(value, prefix="") -> set[str]:
    """Names of all keys down to what a Keylime runtime policy or a PCR holds."""
    out = set()
    for key, item in value.items():
        if key.isdigit():
            continue
        name = prefix + key
        if isinstance(item, dict) and key not in ("runtime_policy", "pcrs", "events"):
            out |= keys(item, f"{name}.")
        else:
            out.add(name)
    return out


def test_the_policy_that_is_shown_can_be_used():
    libattest.Policy.parse(json.dumps(shown_policy()))


def test_every_key_of_a_policy_is_shown_and_explained():
    written = json.loads(libattest.Policy.parse(json.dumps(shown_policy())).to_json())
    shown = keys(shown_policy())
    assert keys(written) == shown
    assert set(re.findall(r"^\| `([a-z0-9_.]+)` \| [^|]", README, re.MULTILINE)) >= shown

# SPDX-License-Identifier: Apache-2.0
"""Headers, binding, stub and packaging say the same."""

import ast
import re
import subprocess
import sys

import pytest
from conftest import ROOT

import libattest
from libattest import _libattest

BINDING = ROOT / "bindings" / "python"

# C functions that Python does not call, each with its reason.
NOT_BOUND = {
    "attest_policy_learn": "attest_policy_learn_profile with the first profile",
    "attest_pcrs_find": "a look-up in the dict that PCR values are given as",
}


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def functions_of_headers() -> set[str]:
    text = "".join(path.read_text() for path in (ROOT / "include/libattest").glob("*.h"))
    declared = re.findall(r"ATTEST_API\b[^;{]*?\b(attest_\w+)\s*\(", without_comments(text))
    return set(declared)


def names_in_binding() -> set[str]:
    text = "".join(path.read_text() for path in [*BINDING.glob("*.cc"), *BINDING.glob("*.h")])
    return set(re.findall(r"\battest_\w+", without_comments(text)))


def test_every_c_function_is_reachable_from_python():
    functions = functions_of_headers()
    assert len(functions) > 60
    assert functions - names_in_binding() == set(NOT_BOUND)


def test_the_exceptions_are_functions_that_exist():
    assert set(NOT_BOUND) <= functions_of_headers()


# The stub, held against the signatures that pybind11 writes into the documentation.


def signature_in_stub(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    names = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    optional = len(arguments.defaults)
    names = [n + "=" if i >= len(names) - optional else n for i, n in enumerate(names)]
    if arguments.kwonlyargs:
        names.append("*")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        names.append(argument.arg + ("" if default is None else "="))
    return names


def signature_at_runtime(function) -> list[str]:
    line = (function.__doc__ or "").splitlines()[0]
    inside = line[line.index("(") + 1 : line.rindex(") ->")]
    names = []
    for part in re.split(r", (?=\w+:|\*)", inside) if inside else []:
        name = part.split(":")[0]
        names.append(name + "=" if "=" in part else name)
    return names


def stub_functions():
    stub = ast.parse((BINDING / "libattest" / "_libattest.pyi").read_text())
    for node in stub.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node, getattr(_libattest, node.name)
        elif isinstance(node, ast.ClassDef) and hasattr(_libattest, node.name):
            for member in node.body:
                decorators = {ast.unparse(d) for d in getattr(member, "decorator_list", [])}
                if not isinstance(member, ast.FunctionDef) or "property" in decorators:
                    continue
                if member.args.vararg is None and member.name != "__bool__":
                    bound = getattr(getattr(_libattest, node.name), member.name)
                    yield f"{node.name}.{member.name}", member, bound


@pytest.mark.parametrize(
    "stub, bound", [pytest.param(s, b, id=name) for name, s, b in stub_functions()]
)
def test_the_stub_names_the_arguments_as_they_are(stub, bound):
    assert signature_in_stub(stub) == signature_at_runtime(bound)


def test_everything_that_is_bound_is_in_the_stub():
    stub = ast.parse((BINDING / "libattest" / "_libattest.pyi").read_text())
    declared = {
        node.name: {m.name for m in getattr(node, "body", []) if isinstance(m, ast.FunctionDef)}
        for node in stub.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    for name in dir(_libattest):
        if name.startswith("_"):
            continue
        assert name in declared
        members = {m for m in vars(getattr(_libattest, name)) if not m.startswith("_")} if (
            isinstance(getattr(_libattest, name), type)
        ) else set()
        assert members <= declared[name], name


def test_versions_agree():
    cmake = (ROOT / "CMakeLists.txt").read_text()
    version = re.search(r"project\(libattest VERSION ([0-9.]+)", cmake)
    assert version
    assert f'version = "{version[1]}"\n' in (BINDING / "pyproject.toml").read_text()
    assert libattest.version() == libattest.__version__ == version[1]


def test_all_lists_what_the_package_gives():
    given = {name for name in vars(libattest) if not name.startswith("_")}
    assert set(libattest.__all__) == given
    assert libattest.__all__ == sorted(libattest.__all__, key=lambda n: (n.islower(), n))


def test_importing_is_quiet_with_all_warnings_as_errors():
    script = "import libattest; libattest.make_nonce(); libattest.Policy().to_json()"
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_package_is_typed():
    package = __import__("pathlib").Path(libattest.__file__).parent
    assert (package / "py.typed").exists()
    assert (package / "_libattest.pyi").exists()

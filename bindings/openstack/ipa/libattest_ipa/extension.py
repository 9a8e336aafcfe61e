# SPDX-License-Identifier: Apache-2.0
"""What ironic-python-agent loads and calls. The work is done in the other modules."""

from __future__ import annotations

from typing import Any

from ironic_python_agent import encoding, errors
from ironic_python_agent.extensions import base

from libattest_ipa import NodeError, WrongParameters, collect, keylime, parameters


class AttestationError(errors.RESTError):
    """What the agent records as the command's error."""

    message = "Attestation failed"


class Result(encoding.Serializable):
    """A command's result. The agent logs results: this one prints as its members' sizes."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    def serialize(self) -> dict[str, Any]:
        return self._members

    def __repr__(self) -> str:
        sizes = (
            f"{name}: {len(v)} characters" if isinstance(v, str) else f"{name}: {v}"
            for name, v in self._members.items()
        )
        return f"<{', '.join(sizes)}>"


def _checks(check: parameters.Check) -> Any:
    """A validator of ironic-python-agent: refused parameters are the caller's HTTP 400."""

    def validator(extension: object, **given: Any) -> None:
        try:
            check(given)
        except WrongParameters as error:
            raise errors.InvalidCommandParamsError(str(error)) from None

    return validator


def _result(work: Any, check: parameters.Check, given: dict[str, Any]) -> Result:
    try:
        return Result(work(**check(given)))
    except NodeError as error:
        raise AttestationError(str(error)) from None


class AttestationExtension(base.BaseAgentExtension):
    @base.async_command("get_identity", _checks(parameters.identity))
    def get_identity(self, **given: Any) -> Result:
        return _result(collect.identity, parameters.identity, given)

    @base.async_command("activate_credential", _checks(parameters.activate))
    def activate_credential(self, **given: Any) -> Result:
        return _result(collect.activate, parameters.activate, given)

    @base.async_command("quote", _checks(parameters.quote))
    def quote(self, **given: Any) -> Result:
        return _result(collect.quote, parameters.quote, given)

    @base.async_command("get_keylime_info", _checks(parameters.nothing))
    def get_keylime_info(self, **given: Any) -> Result:
        return _result(self._keylime_info, parameters.nothing, given)

    @base.sync_command("get_keylime_attestation_files", _checks(parameters.nothing))
    def get_keylime_attestation_files(self, **given: Any) -> Result:
        return _result(keylime.attestation_files, parameters.nothing, given)

    def _keylime_info(self) -> dict[str, Any]:
        own = getattr(self.agent, "advertise_address", None)
        return keylime.info(own.hostname if own is not None else None)

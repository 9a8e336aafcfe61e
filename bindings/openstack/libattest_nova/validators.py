# SPDX-License-Identifier: Apache-2.0
"""What Nova's API says of the flavor keys from microversion 2.86 on.

Without it `trust:trusted_host` may have any value, and `capabilities:trusted_boot`, the key of
Ironic's trusted boot, is refused.
"""

from nova.api.validation.extra_specs import base


def register() -> list[base.ExtraSpecValidator]:
    """Called by Nova for the entry point group nova.api.extra_spec_validators."""
    return [
        base.ExtraSpecValidator(
            name="trust:trusted_host",
            description="Whether the host must have been attested as trusted, or as untrusted.",
            value={
                "type": str,
                "description": "The verdict that the host must have.",
                "enum": ["trusted", "untrusted"],
            },
        ),
        base.ExtraSpecValidator(
            name="capabilities:trusted_boot",
            description="Whether a bare metal node boots the instance by a measured launch.",
            value={
                "type": str,
                "description": "true or false. It is compared with the node's own, as text.",
                # bool would accept "yes" and "1", which no node ever equals.
                "pattern": r"(?i:true|false)",
            },
        ),
    ]

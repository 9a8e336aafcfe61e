# SPDX-License-Identifier: Apache-2.0
"""Attestation of bare metal nodes in an unpatched Ironic.

A node is attested while it is cleaned and again before it is given to a tenant, can go on being
attested while it runs, and one that fails never reaches a tenant. Where to start reading:
attestation.py (what an attestation interface is), gate.py (what a deployment must show before it
goes on), steps.py (where Ironic calls us).
"""

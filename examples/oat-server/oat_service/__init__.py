# SPDX-License-Identifier: Apache-2.0
"""settings: the file. nonces: when evidence was asked for. hosts: from evidence to a verdict. pollhosts: the
question and its answer. web: HTTPS."""

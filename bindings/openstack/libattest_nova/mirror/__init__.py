# SPDX-License-Identifier: Apache-2.0
"""libattest-nova-mirror: verdicts of hosts as a trait in placement, and what else follows from them.

book.py       what is known of each host, and until when it counts
sources.py    where verdicts come from: agents.py appraises, or a back-end of the filter's
lanes.py      one thread a service: who hangs holds up nobody else
placement.py compute.py ironic.py    what is done there, over rest.py
daemon.py     the loop; command.py the command line; options.py [libattest_mirror]
"""

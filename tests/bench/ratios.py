# SPDX-License-Identifier: Apache-2.0
"""Prints each benchmark's least CPU time, as a multiple of its group's bare digests or verify."""

import collections
import json
import sys

UNITS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}  # to microseconds

groups = collections.defaultdict(dict)
with open(sys.argv[1], encoding="utf-8") as file:
    for run in json.load(file)["benchmarks"]:
        if run.get("run_type") != "iteration":
            continue
        if run.get("error_occurred"):
            sys.exit(f"{run['name']}: {run['error_message']}")
        group, _, name = run["run_name"].partition("/")
        time = run["cpu_time"] * UNITS[run["time_unit"]]
        groups[group][name] = min(time, groups[group].get(name, time))

for group, times in groups.items():
    for name, time in times.items():
        ratio = "" if name == "bare" else f"  {time / times['bare']:.2f} x bare"
        print(f"{group:16} {name:20} {time:12.2f} us{ratio}")

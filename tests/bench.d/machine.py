# SPDX-License-Identifier: BSD-2-Clause
"""machine: what the figures were measured on, without a name."""
import os
import re

import measure as m


def main():
    load = os.getloadavg()[1]
    with m.scratch() as folder:
        r = m.record(folder, "-d", "0.1")
    host = r.summary["host"]
    release = re.match(r"\d+\.\d+", host["kernel"]).group()
    virtual = host.get("virtualization") not in (None, "none")
    event = r.summary["collectors"][0]["event"]
    print(f"A {host['cpus_online']}-CPU {'virtual machine' if virtual else 'machine'}, "
          f"{host.get('cpu_model') or host['architecture']}, Linux {release}, "
          f"{'no PMU: sampled by' if event == 'cpu-clock' else 'with a PMU: sampled by'} {event}; "
          f"fathom {host['fathom_version']}. Load average of the last five minutes before this "
          f"run: {load:.1f}; far above zero, other programs took part in all that follows.\n")


main()

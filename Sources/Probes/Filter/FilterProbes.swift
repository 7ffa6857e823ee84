let filterProbes: [any Probe] = []

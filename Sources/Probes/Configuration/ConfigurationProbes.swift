let configurationProbes: [any Probe] = []

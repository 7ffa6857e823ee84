let linkProbes: [any Probe] = []

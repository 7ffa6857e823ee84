/// Every probe that reads the host, by group. The packet proof is not among them: it needs an `ActiveHost`.
package let allProbes: [any Probe] = linkProbes + filterProbes + pathProbes + configurationProbes + containerProbes

/// Probes of the ways out of the host, and of what the kernel keeps of flows.
let pathProbes: [any Probe] = [
    ContainerWayProbe(), WayBackProbe(), OtherUplinksProbe(), PortDefaultRoutesProbe(), ForeignRoutingProbe(),
    GatewayOnLinkProbe(),
    PathMTUProbe(), BridgedUplinkProbe(), FirewallBridgesProbe(), IPsecSelectorsProbe(), IPv6Probe(),
    ConntrackTableProbe(), StrayPacketsProbe(), StaleFlowsProbe(), ManagedBridgesProbe(), IPv6NetworkProbe(),
]

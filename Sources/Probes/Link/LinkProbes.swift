/// Probes that read links, addresses, routes and the kernel's network switches.
let linkProbes: [any Probe] = [
    LinkProbe(), InterfaceAddressesProbe(), SubnetElsewhereProbe(), ForwardingProbe(), UplinkProbe(), SysctlProbe(),
    BridgeOptionsProbe(), BridgePortsProbe(), NeighbourTableProbe(), NestingProbe(), UplinkLinkProbe(),
]

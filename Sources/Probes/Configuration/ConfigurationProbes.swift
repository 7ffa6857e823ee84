/// Probes that read configuration files, and what they mean for the next boot.
let configurationProbes: [any Probe] = [
    SysctlNextBootProbe(), BridgeNextBootProbe(), NATNextBootProbe(), LXCInstallationProbe(), LXCNetSettingsProbe(),
    LXCNetServiceProbe(), MakinaJobProbe(), DHCPServerProbe(), LXCPathProbe(), BaseImageProbe(), ContainersProbe(),
    ContainerConfigProbe(), BridgeMACProbe(), BridgeNetfilterBootProbe(), LXCNetScriptProbe(), LXCNetRunningProbe(),
    DNSPortProbe(), DHCPLeasesProbe(), DnsmasqConfinementProbe(), AutostartProbe(), KernelModulesProbe(),
    ContainerPortsProbe(), ContainerHardwareAddressesProbe(),
]

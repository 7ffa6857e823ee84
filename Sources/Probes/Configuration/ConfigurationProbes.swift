/// Probes that read configuration files, and what they mean for the next boot.
let configurationProbes: [any Probe] = [
    SysctlNextBootProbe(), BridgeNextBootProbe(), NATNextBootProbe(), LXCInstallationProbe(), LXCNetSettingsProbe(),
    LXCNetServiceProbe(), MakinaJobProbe(), DHCPServerProbe(), LXCPathProbe(), BaseImageProbe(), ContainersProbe(),
    ContainerConfigProbe(), ContainerPortsProbe(), ContainerHardwareAddressesProbe(),
]

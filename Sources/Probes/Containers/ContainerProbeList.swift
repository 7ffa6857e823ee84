/// Probes that read containers: their configurations, the systems in them, and what they may have of this host.
let containerProbes: [any Probe] = [
    ContainerDevicesProbe(), ContainerGuestProbe(), ContainerIdentityProbe(), ContainerTwinsProbe(),
    UserNetworksProbe(), DownloadTemplateProbe(),
]

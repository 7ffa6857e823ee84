let filterProbes: [any Probe] = [
    SourceTranslationProbe(), ForwardingFilterProbe(), HostOutputProbe(), FirewallFrontEndsProbe(), NetworkRulesProbe(),
    IptablesTablesProbe(), XtablesLockProbe(), DockerRawDropsProbe(), IngressFiltersProbe(), HairpinProbe(),
    BridgeARPProbe(),
]

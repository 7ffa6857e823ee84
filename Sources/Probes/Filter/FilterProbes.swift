let filterProbes: [any Probe] = [
    SourceTranslationProbe(), ForwardingFilterProbe(), IngressFiltersProbe(), HairpinProbe(),
]

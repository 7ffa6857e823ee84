let filterProbes: [any Probe] = [SourceTranslationProbe(), ForwardingFilterProbe()]

let filterProbes: [any Probe] = [SourceTranslationProbe()]

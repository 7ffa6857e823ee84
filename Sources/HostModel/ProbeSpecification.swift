/// The type of a fact or of a probe's parameter.
package enum FactType: String, Codable, Sendable {
    case string, integer, boolean, strings
}

/// Where a probe looks.
package enum FactSource: String, Codable, Sendable, Comparable {
    /// What programs will read, at the next boot or start.
    case configuration
    /// What is there now: the kernel, processes, the file system.
    case live

    package static func < (left: Self, right: Self) -> Bool { left == .configuration && right == .live }
}

/// What a probe is called, what it needs to be told, and which facts it gives: what a check file may refer to.
package struct ProbeSpecification: Sendable, Hashable {
    /// Kebab-case, as check files write it.
    package let name: String
    /// One line for `list probes` and for people who write checks.
    package let summary: String
    /// Every parameter is required.
    package let parameters: [String: FactType]
    package let facts: [String: FactType]
    package let source: FactSource

    package init(
        name: String, summary: String, parameters: [String: FactType], facts: [String: FactType],
        source: FactSource = .live
    ) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.facts = facts
        self.source = source
    }
}

/// One call of a probe, with its parameters filled in. Equal requests are answered once per run.
package struct ProbeRequest: Codable, Sendable, Hashable {
    package var probe: String
    package var parameters: [String: FactValue]

    package init(probe: String, parameters: [String: FactValue]) {
        self.probe = probe
        self.parameters = parameters
    }
}

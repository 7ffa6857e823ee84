package import HostModel

/// What a check is about: one finding for the host, for each network, or for each container.
package enum CheckSubject: String, Sendable, CaseIterable {
    case host, network, container
}

/// A positive statement about the host, and how to find out whether it is true. Shape: one file of `checks/`.
package struct Check: Sendable, Hashable {
    /// `area.kebab-name`; never renumbered.
    package var id: String
    package var title: String
    package var severity: Severity
    package var area: Area
    package var subject: CheckSubject
    package var tags: [String]
    /// Ids that it had before.
    package var aliases: [String]
    /// Checks that must hold before this one can be judged.
    package var needs: [String]
    package var rationale: String
    /// Over variables, and over facts as `fact.NAME`. Where it does not hold, the check is not applicable.
    package var applies: FactCondition?
    /// Why it is not applicable, in words.
    package var notApplicable: String?
    package var probe: String
    /// By parameter; strings may hold templates.
    package var parameters: [String: FactValue]
    /// Where this holds, the probe looked but could not tell: the verdict is unknown, with the fact `reason`.
    package var unknownWhen: FactCondition?
    package var expect: FactCondition
    /// Facts that are worth showing beside those that `expect` asks about.
    package var show: [String]
    /// In the order in which they are tried.
    package var causes: [CauseRule]
    package var references: [String]

    package init(
        id: String, title: String, severity: Severity, area: Area, subject: CheckSubject = .network,
        tags: [String] = [], aliases: [String] = [], needs: [String] = [], rationale: String = "",
        applies: FactCondition? = nil, notApplicable: String? = nil, probe: String,
        parameters: [String: FactValue] = [:], unknownWhen: FactCondition? = nil, expect: FactCondition,
        show: [String] = [], causes: [CauseRule] = [], references: [String] = []
    ) {
        self.id = id
        self.title = title
        self.severity = severity
        self.area = area
        self.subject = subject
        self.tags = tags
        self.aliases = aliases
        self.needs = needs
        self.rationale = rationale
        self.applies = applies
        self.notApplicable = notApplicable
        self.probe = probe
        self.parameters = parameters
        self.unknownWhen = unknownWhen
        self.expect = expect
        self.show = show
        self.causes = causes
        self.references = references
    }
}

/// Which cause a failing check speaks for, and when.
package struct CauseRule: Sendable, Hashable {
    package var id: String
    /// Over the facts; nil: whenever it is reached.
    package var when: FactCondition?
    /// Instead of the cause's own remedy. `none`: there is none.
    package var remedy: String?
    /// Instead of the cause's own severity.
    package var severity: Severity?
    /// The search goes on after this one: it does not exclude those below it.
    package var all: Bool

    package init(
        id: String, when: FactCondition? = nil, remedy: String? = nil, severity: Severity? = nil, all: Bool = false
    ) {
        self.id = id
        self.when = when
        self.remedy = remedy
        self.severity = severity
        self.all = all
    }
}

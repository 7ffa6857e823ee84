package import HostModel

/// What is known about a cause. Shape: one file of `checks/causes/`.
package struct CauseEntry: Sendable, Hashable {
    package var id: String
    package var area: Area
    /// How much it matters as a rule; a failing check takes it over where it is lower than its own.
    package var severity: Severity
    package var title: String
    /// What is wrong and what follows from it, in two or three sentences.
    package var explanation: String
    /// Causes that are only its consequences where both are present.
    package var explains: [String]
    /// Nil: that of a cause that it explains, if any. `none`: none.
    package var remedy: String?
    /// What a person would type.
    package var commands: [String]
    /// Instead of `commands`, where another program than LXC makes the network: in that program's terms.
    package var owners: [NetworkOwner: [String]]
    /// What people see who have it.
    package var symptom: String
    /// How it comes about.
    package var why: String
    /// How the doctor knows, and how a person can see it.
    package var look: String
    /// Commands that show it, and change nothing.
    package var inspect: [String]
    /// What cures it, now and for good.
    package var fix: String
    package var references: [String]
    /// Nothing on a host shows it: it stands here to be explained, and no check names it.
    package var isDocumentedOnly: Bool

    package init(
        id: String, area: Area, severity: Severity, title: String, explanation: String, explains: [String] = [],
        remedy: String? = nil, commands: [String] = [], symptom: String = "", why: String = "", look: String = "",
        inspect: [String] = [], fix: String = "", references: [String] = [], owners: [NetworkOwner: [String]] = [:],
        isDocumentedOnly: Bool = false
    ) {
        self.id = id
        self.area = area
        self.severity = severity
        self.title = title
        self.explanation = explanation
        self.explains = explains
        self.remedy = remedy
        self.commands = commands
        self.owners = owners
        self.symptom = symptom
        self.why = why
        self.look = look
        self.inspect = inspect
        self.fix = fix
        self.references = references
        self.isDocumentedOnly = isDocumentedOnly
    }
}

extension CauseEntry {
    /// The remedy that the fix module makes; nil where a person has to.
    package var automaticRemedy: String? { remedy == "none" ? nil : remedy }
}

/// How a cause is repaired.
package struct RemedyAdvice: Codable, Sendable, Hashable {
    package var id: String
    /// Whether the fix module does it.
    package var automatic: Bool
    /// What a person would type.
    package var commands: [String]
    /// Why the fix module was asked and leaves it to a person all the same, in one sentence.
    package var left: String?

    package init(id: String, automatic: Bool, commands: [String], left: String? = nil) {
        self.id = id
        self.automatic = automatic
        self.commands = commands
        self.left = left
    }
}

/// A root cause: no other present cause explains it.
package struct Cause: Codable, Sendable, Hashable {
    package var id: String
    package var area: Area
    package var subject: Subject
    package var severity: Severity
    package var title: String
    package var explanation: String
    /// The check that speaks for it.
    package var check: String
    package var evidence: [Evidence]
    /// The findings that it explains, as check ids.
    package var consequences: [String]
    package var remedy: RemedyAdvice?

    package init(
        id: String, area: Area, subject: Subject, severity: Severity, title: String, explanation: String,
        check: String, evidence: [Evidence], consequences: [String] = [], remedy: RemedyAdvice? = nil
    ) {
        self.id = id
        self.area = area
        self.subject = subject
        self.severity = severity
        self.title = title
        self.explanation = explanation
        self.check = check
        self.evidence = evidence
        self.consequences = consequences
        self.remedy = remedy
    }
}

/// The whole of one run, version 1. The contract is `reports/schema/report.v1.schema.json`.
package struct Report: Codable, Sendable, Hashable {
    package struct Tool: Codable, Sendable, Hashable {
        package var name: String
        package var version: String
        package init(name: String, version: String) {
            self.name = name
            self.version = version
        }
    }

    package struct HostDescription: Codable, Sendable, Hashable {
        package var hostname: String
        package var kernel: String
        package var os: String
        /// `root`, or the capabilities that the run had.
        package var privileges: [String]
        package init(hostname: String, kernel: String, os: String, privileges: [String]) {
            self.hostname = hostname
            self.kernel = kernel
            self.os = os
            self.privileges = privileges
        }
    }

    package struct ProfileDescription: Codable, Sendable, Hashable {
        package var name: String
        package var chosenBecause: String
        package var networks: [Network]
        /// Bridges that the profile does not speak of.
        package var otherBridges: [String]
        package init(name: String, chosenBecause: String, networks: [Network], otherBridges: [String]) {
            self.name = name
            self.chosenBecause = chosenBecause
            self.networks = networks
            self.otherBridges = otherBridges
        }
    }

    package struct Summary: Codable, Sendable, Hashable {
        package var pass = 0
        package var fail = 0
        package var unknown = 0
        package var blocked = 0
        package var notApplicable = 0
        package var waived = 0

        package init(of findings: [Finding]) {
            for finding in findings {
                switch finding.verdict {
                case .pass: pass += 1
                case .fail: fail += 1
                case .unknown: unknown += 1
                case .blocked: blocked += 1
                case .notApplicable: notApplicable += 1
                case .waived: waived += 1
                }
            }
        }
    }

    package static let schemaName = "lxc-doctor/report/1"

    package var schema: String
    package var verdict: Health
    package var exitCode: Int32
    /// RFC 3339, UTC.
    package var startedAt: String
    package var durationMilliseconds: Double
    package var tool: Tool
    package var host: HostDescription
    package var profile: ProfileDescription
    package var summary: Summary
    /// Root causes only, most severe first.
    package var causes: [Cause]
    package var findings: [Finding]
    package var proof: ProofReport?
    package var fixes: FixReport?
    /// What the operator has waived; nil where there is no waiver.
    package var waivers: [WaiverUse]?

    package init(
        startedAt: String, durationMilliseconds: Double, tool: Tool, host: HostDescription,
        profile: ProfileDescription, causes: [Cause], findings: [Finding], proof: ProofReport? = nil,
        fixes: FixReport? = nil, waivers: [WaiverUse]? = nil
    ) {
        schema = Self.schemaName
        verdict = Health(of: findings, waivers: waivers ?? [])
        exitCode = verdict.exitCode
        self.startedAt = startedAt
        self.durationMilliseconds = durationMilliseconds
        self.tool = tool
        self.host = host
        self.profile = profile
        summary = Summary(of: findings)
        self.causes = causes
        self.findings = findings
        self.proof = proof
        self.fixes = fixes
        self.waivers = waivers
        // Refused or rolled back is never a good end, whatever the checks say (design, exit codes).
        if let fixes, fixes.outcome != .applied {
            exitCode = Health.critical.exitCode
        }
    }
}

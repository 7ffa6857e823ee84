/// How much a failing check matters, mildest first.
package enum Severity: String, Codable, Sendable, Comparable, CaseIterable {
    case notice, warning, critical

    package static func < (left: Self, right: Self) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .notice: 0
        case .warning: 1
        case .critical: 2
        }
    }
}

/// The part of the host that a check or a cause speaks about, in the order in which a report shows them.
package enum Area: String, Codable, Sendable, CaseIterable {
    case bridge, container, forwarding, nat, firewall, path, host
}

/// What a finding is about. (check, subject) is unique in a report.
package struct Subject: Codable, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case host, network, container, interface
    }

    package var kind: Kind
    package var name: String

    package init(kind: Kind, name: String) {
        self.kind = kind
        self.name = name
    }

    package var description: String { "\(kind.rawValue) \(name)" }
}

/// What a probe saw, where, and the command by which a person can see the same.
package struct Evidence: Codable, Sendable, Hashable {
    /// The netlink query, file and line, or packet it was read from: `/etc/sysctl.d/99-x.conf:3`, `rtnetlink RTM_GETLINK`.
    package var source: String
    /// A shell command that shows the same to a person.
    package var command: String
    package var value: String

    package init(source: String, command: String, value: String) {
        self.source = source
        self.command = command
        self.value = value
    }
}

/// One value of an observation.
package enum FactValue: Sendable, Hashable {
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case strings([String])
}

extension FactValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = container.value(as: Bool.self) {
            self = .boolean(value)
        } else if let value = container.value(as: Int.self) {
            self = .integer(value)
        } else if let value = container.value(as: [String].self) {
            self = .strings(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .boolean(let value): try container.encode(value)
        case .strings(let value): try container.encode(value)
        }
    }
}

extension SingleValueDecodingContainer {
    /// The value if it has this type: a union type asks for one after the other.
    fileprivate func value<Value: Decodable>(as type: Value.Type) -> Value? {
        do {
            return try decode(type)
        } catch {
            return nil
        }
    }
}

extension FactValue: CustomStringConvertible {
    /// As a report shows it: `yes`/`no` for booleans, lists joined by commas, `none` for an empty list.
    package var description: String {
        switch self {
        case .string(let value): value
        case .integer(let value): String(value)
        case .boolean(let value): value ? "yes" : "no"
        case .strings(let value): value.isEmpty ? "none" : value.joined(separator: ", ")
        }
    }
}

/// What one probe saw: named facts and the evidence for them.
package struct Observation: Codable, Sendable, Hashable {
    /// A fact that is absent was not there to be seen: predicates on it other than `exists: false` fail.
    package var facts: [String: FactValue]
    /// What every check is shown that asks for any of the facts.
    package var evidence: [Evidence]
    /// What shows single facts, for checks that ask for one of those.
    package var particular: [ParticularEvidence] = []

    package init(facts: [String: FactValue] = [:], evidence: [Evidence] = []) {
        self.facts = facts
        self.evidence = evidence
    }

    /// Adds evidence that says nothing about other facts than these.
    package mutating func show(_ names: String..., by evidence: Evidence) {
        particular.append(ParticularEvidence(facts: names, evidence: evidence))
    }

    /// The evidence for some facts, particular one behind the rest.
    package func evidence(for names: Set<String>) -> [Evidence] {
        evidence + particular.filter { !names.isDisjoint(with: $0.facts) }.map(\.evidence)
    }
}

/// Evidence for single facts of an observation that has others too.
package struct ParticularEvidence: Codable, Sendable, Hashable {
    package var facts: [String]
    package var evidence: Evidence
}

/// Why there is no observation.
package enum ObservationFailure: Error, Codable, Sendable, Hashable {
    /// The fact could not be read; the reason names what was refused. Never a pass and never a fail.
    case unknown(String)
    /// The question does not arise on this host.
    case notApplicable(String)
}

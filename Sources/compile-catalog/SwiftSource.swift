internal import CheckCatalog
internal import HostModel

/// Writes values as Swift expressions.
enum SwiftSource {
    /// A function that returns all values, and one function for each. Never one big literal: the type checker would
    /// take minutes over it.
    static func file(_ type: String, _ function: String, _ values: [String]) -> String {
        var text = "internal import CheckCatalog\ninternal import HostModel\n\nfunc \(function)() -> [\(type)] {\n"
        text += "    var values: [\(type)] = []\n    values.reserveCapacity(\(values.count))\n"
        for index in values.indices { text += "    values.append(\(function)\(index)())\n" }
        text += "    return values\n}\n"
        for (index, value) in values.enumerated() {
            text += "\nprivate func \(function)\(index)() -> \(type) {\n\(value)}\n"
        }
        return text
    }

    static func assets(_ assets: [(name: String, text: String)]) -> String {
        var text = "func builtInAsset(_ name: String) -> String? {\n    switch name {\n"
        for asset in assets { text += "    case \(string(asset.name)): \(string(asset.text))\n" }
        return text + "    default: nil\n    }\n}\n"
    }

    static func check(_ check: Check) -> String {
        var lines = [
            "var value = Check(id: \(string(check.id)), title: \(string(check.title)), severity: .\(check.severity.rawValue), "
                + "area: .\(check.area.rawValue), probe: \(string(check.probe)), expect: \(condition(check.expect)))"
        ]
        lines.append("value.subject = .\(check.subject.rawValue)")
        lines.append("value.rationale = \(string(check.rationale))")
        for (field, values) in [
            ("tags", check.tags), ("aliases", check.aliases), ("needs", check.needs), ("show", check.show),
            ("references", check.references),
        ] where !values.isEmpty {
            lines.append("value.\(field) = \(strings(values))")
        }
        for (name, value) in check.parameters.sorted(by: { $0.key < $1.key }) {
            lines.append("value.parameters[\(string(name))] = \(fact(value))")
        }
        if let applies = check.applies { lines.append("value.applies = \(condition(applies))") }
        if let reason = check.notApplicable { lines.append("value.notApplicable = \(string(reason))") }
        if let unknown = check.unknownWhen { lines.append("value.unknownWhen = \(condition(unknown))") }
        for rule in check.causes { lines.append("value.causes.append(\(self.rule(rule)))") }
        return body(lines)
    }

    static func cause(_ cause: CauseEntry) -> String {
        var lines = [
            "var value = CauseEntry(id: \(string(cause.id)), area: .\(cause.area.rawValue), severity: .\(cause.severity.rawValue), "
                + "title: \(string(cause.title)), explanation: \(string(cause.explanation)))"
        ]
        if cause.isDocumentedOnly { lines.append("value.isDocumentedOnly = true") }
        if let remedy = cause.remedy { lines.append("value.remedy = \(string(remedy))") }
        for (field, text) in [
            ("symptom", cause.symptom), ("why", cause.why), ("look", cause.look), ("fix", cause.fix),
        ] {
            lines.append("value.\(field) = \(string(text))")
        }
        for (field, values) in [
            ("explains", cause.explains), ("commands", cause.commands), ("inspect", cause.inspect),
            ("references", cause.references),
        ] {
            lines.append("value.\(field) = \(strings(values))")
        }
        for (owner, commands) in cause.owners.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            lines.append("value.owners[.\(owner.rawValue)] = \(strings(commands))")
        }
        return body(lines)
    }

    static func profile(_ entry: ProfileEntry) -> String {
        switch entry.values {
        case .derived(let name):
            return
                "    ProfileEntry(name: \(string(entry.name)), summary: \(string(entry.summary)), values: .derived(\(string(name))))\n"
        case .fixed(let profile):
            var lines = ["var value = Profile(name: \(string(profile.name)), networks: [])"]
            if let path = profile.lxcPath { lines.append("value.lxcPath = \(string(path))") }
            if let image = profile.image {
                lines.append("value.image = BaseImage(name: \(string(image.name)), wanted: .\(image.wanted.rawValue))")
            }
            if let source = profile.image?.source {
                let sum = "ImageChecksum(.\(source.checksum.algorithm.rawValue), \(string(source.checksum.sum)))"
                lines.append(
                    "value.image?.source = \(sum).map { ImageSource(location: \(string(source.location)), checksum: $0) }"
                )
            }
            lines.append("value.minimumFreeBytes = \(profile.minimumFreeBytes)")
            for network in profile.networks {
                // The prefix was checked when the file was read.
                lines.append(
                    "if let address = IPv4Prefix(\"\(network.address)\") { value.networks.append(\(self.network(network))) }"
                )
            }
            return "    " + lines.joined(separator: "\n    ")
                + "\n    return ProfileEntry(name: value.name, summary: \(string(entry.summary)), values: .fixed(value))\n"
        }
    }

    private static func body(_ lines: [String]) -> String {
        "    " + lines.joined(separator: "\n    ") + "\n    return value\n"
    }

    private static func network(_ network: Network) -> String {
        func addresses(_ list: [IPv4Address]) -> String { "[" + list.map(address).joined(separator: ", ") + "]" }
        func address(_ address: IPv4Address) -> String { "IPv4Address(value: \(address.value))" }
        let exempt = strings(network.exempt.map(\.description)) + ".compactMap { IPv4Prefix($0) }"
        return "Network(name: \(string(network.name)), bridge: \(string(network.bridge)), "
            + "address: address, "
            + "nat: .\(network.nat.rawValue), snat: \(addresses(network.snat)), dhcp: .\(network.dhcp.rawValue), "
            + "dhcpRange: \(addresses(network.dhcpRange)), dns: .\(network.dns.rawValue), "
            + "uplink: \(network.uplink.map(string) ?? "nil"), "
            + "exempt: \(network.exempt.isEmpty ? "[]" : exempt), target: \(address(network.target)), "
            + "owner: \(network.owner.map { ".\($0.rawValue)" } ?? "nil"), ipv6: \(network.ipv6.map(string) ?? "nil"), "
            + "ipv6NAT: \(network.ipv6NAT.map { ".\($0.rawValue)" } ?? "nil"))"
    }

    private static func rule(_ rule: CauseRule) -> String {
        "CauseRule(id: \(string(rule.id)), when: \(rule.when.map(condition) ?? "nil"), "
            + "remedy: \(rule.remedy.map(string) ?? "nil"), severity: \(rule.severity.map { ".\($0.rawValue)" } ?? "nil"), "
            + "all: \(rule.all))"
    }

    private static func condition(_ condition: FactCondition) -> String {
        func list(_ parts: [FactCondition]) -> String { "[" + parts.map(self.condition).joined(separator: ", ") + "]" }
        return switch condition {
        case .fact(let name, let predicate): "FactCondition.fact(\(string(name)), \(self.predicate(predicate)))"
        case .all(let parts): "FactCondition.all(\(list(parts)))"
        case .any(let parts): "FactCondition.any(\(list(parts)))"
        case .none(let parts): "FactCondition.none(\(list(parts)))"
        }
    }

    private static func predicate(_ predicate: FactPredicate) -> String {
        let text =
            switch predicate {
            case .equals(let value): "equals(\(fact(value)))"
            case .notEquals(let value): "notEquals(\(fact(value)))"
            case .oneOf(let values): "oneOf([\(values.map(fact).joined(separator: ", "))])"
            case .contains(let text): "contains(\(string(text)))"
            case .matches(let text): "matches(\(string(text)))"
            case .atLeast(let value): "atLeast(\(fact(value)))"
            case .atMost(let value): "atMost(\(fact(value)))"
            case .exists(let wanted): "exists(\(wanted))"
            case .count(let inner): "count(\(self.predicate(inner)))"
            case .all(let inner): "all(\(self.predicate(inner)))"
            case .any(let inner): "any(\(self.predicate(inner)))"
            case .none(let inner): "none(\(self.predicate(inner)))"
            case .every(let parts): "every([\(parts.map(self.predicate).joined(separator: ", "))])"
            }
        return "FactPredicate." + text
    }

    private static func fact(_ value: FactValue) -> String {
        switch value {
        case .string(let text): "FactValue.string(\(string(text)))"
        case .integer(let number): "FactValue.integer(\(number))"
        case .boolean(let truth): "FactValue.boolean(\(truth))"
        case .strings(let items): "FactValue.strings(\(strings(items)))"
        }
    }

    private static func strings(_ items: [String]) -> String {
        "[" + items.map(string).joined(separator: ", ") + "]"
    }

    private static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

internal import HostModel

/// Probes with the same fate: they are drawn once, whatever address and protocol they had.
struct ProbeGroup {
    var first: ProofProbe
    var probes: [ProofProbe]

    static func groups(of probes: [ProofProbe]) -> [ProbeGroup] {
        var groups: [ProbeGroup] = []
        for probe in probes {
            if let index = groups.firstIndex(where: { $0.takes(probe) }) {
                groups[index].probes.append(probe)
            } else {
                groups.append(ProbeGroup(first: probe, probes: [probe]))
            }
        }
        return groups
    }

    /// `udp, tcp, icmp`.
    var protocols: String { unique(probes.map(\.protocol.rawValue)).joined(separator: ", ") }

    /// `from 10.5.0.41 and 10.5.255.241 to 198.51.100.7`; the ports differ and are left out.
    var ends: String {
        let sources = unique(probes.map { address($0.from) })
        let container = first.container.map { "container \($0), " } ?? ""
        return "from \(container)\(sources.joined(separator: " and ")) to \(address(first.to))"
    }

    /// What the picture does not say already; nil where it says everything.
    var reason: String? {
        first.verdict == .leaked ? nil : first.reason
    }

    private func takes(_ probe: ProofProbe) -> Bool {
        first.network == probe.network && first.container == probe.container && first.verdict == probe.verdict
            && first.uplink == probe.uplink && first.path == probe.path && first.killer == probe.killer
            && address(first.to) == address(probe.to) && neutral(first, first.reason) == neutral(probe, probe.reason)
            && neutral(first, first.sourceAfter) == neutral(probe, probe.sourceAfter)
    }

    /// A text in which the probe's own address is no difference.
    private func neutral(_ probe: ProofProbe, _ text: String?) -> String? {
        text?.replacing(address(probe.from), with: "itself")
    }
}

/// Probes that stay on this host and had the same fate.
struct LocalGroup {
    var first: LocalProbe
    var probes: [LocalProbe]

    static func groups(of probes: [LocalProbe]) -> [LocalGroup] {
        var groups: [LocalGroup] = []
        for probe in probes {
            if let index = groups.firstIndex(where: { $0.takes(probe) }) {
                groups[index].probes.append(probe)
            } else {
                groups.append(LocalGroup(first: probe, probes: [probe]))
            }
        }
        return groups
    }

    var protocols: String {
        let names = unique(probes.map(\.protocol.rawValue)).joined(separator: ", ")
        switch first.kind {
        case .dhcp: return "DHCP"
        case .dns: return "DNS (\(names))"
        case .eastWest: return names
        }
    }

    /// What it says that they arrived.
    var meaning: String {
        switch first.kind {
        case .dhcp, .dns: "comes through INPUT (caught before the server)"
        case .eastWest: "from one container arrives at another, as itself"
        }
    }

    var ends: String {
        first.kind == .eastWest
            ? "from container \(address(first.from)) to container \(address(first.to))"
            : "from \(address(first.from)) to \(address(first.to))"
    }

    private func takes(_ probe: LocalProbe) -> Bool {
        first.network == probe.network && first.kind == probe.kind && first.arrival == probe.arrival
            && first.path == probe.path && first.killer == probe.killer && first.reason == probe.reason
    }
}

extension LocalProbeKind {
    /// For people: `container to container`.
    var word: String {
        switch self {
        case .dhcp, .dns: rawValue.uppercased()
        case .eastWest: "container to container"
        }
    }
}

private func unique(_ words: [String]) -> [String] {
    var seen: [String] = []
    for word in words where !seen.contains(word) { seen.append(word) }
    return seen
}

/// An end of a probe without its port.
private func address(_ end: String) -> String {
    IPAddress.text(ofEndpoint: end)
}

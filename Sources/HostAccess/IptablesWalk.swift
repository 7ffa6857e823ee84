package import HostModel

/// A packet that asks for a new connection, for a ruleset in text.
package struct NewPacket: Sendable, Hashable {
    package enum Transport: String, Sendable, Hashable {
        case udp, tcp, icmp

        /// As iptables(8) takes it as well: IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP.
        var number: String {
            switch self {
            case .udp: "17"
            case .tcp: "6"
            case .icmp: "1"
            }
        }
    }

    package var input: String
    /// Empty: to this host.
    package var output: String
    package var source: IPv4Address
    package var destination: IPv4Address
    package var transport: Transport
    package var port: Int

    package init(
        input: String, output: String = "", source: IPv4Address, destination: IPv4Address, transport: Transport,
        port: Int = 0
    ) {
        self.input = input
        self.output = output
        self.source = source
        self.destination = destination
        self.transport = transport
        self.port = port
    }
}

extension IptablesListing {
    package enum Fate: Sendable, Hashable {
        case accepted
        /// By this rule, or by the policy.
        case dropped(String)
        /// By a rule with a match that is not understood.
        case undecided(String)
    }

    private static let mostSteps = 10_000

    /// What becomes of a new connection's first packet in a chain of `iptables-save` text. A rule that is not
    /// understood decides nothing where it would accept, and leaves the answer open where it would drop.
    package func fate(of packet: NewPacket, in chain: String) -> Fate {
        let byChain = Dictionary(grouping: lines.map(SavedRule.init), by: \.chain)
        var stack: [(rules: ArraySlice<SavedRule>, isGoto: Bool)] = [(byChain[chain, default: []][...], false)]
        var doubt: String?
        for _ in 0..<Self.mostSteps {
            guard var frame = stack.popLast() else { break }
            guard let rule = frame.rules.popFirst() else { continue }
            stack.append(frame)
            let matches = rule.matches(packet)
            if matches == false { continue }
            switch rule.target {
            case "ACCEPT":
                if matches == true { return doubt.map(Fate.undecided) ?? .accepted }
            case "DROP", "REJECT":
                if matches == true { return doubt.map(Fate.undecided) ?? .dropped(rule.line) }
                doubt = doubt ?? rule.line
            case "RETURN": if matches == true { stack.removeLast() } else { doubt = doubt ?? rule.line }
            default:
                guard let next = byChain[rule.target] else { continue }
                // A jump that may not be taken is followed: what it drops leaves the answer open.
                if matches == nil { doubt = doubt ?? rule.line }
                if rule.isGoto { stack.removeLast() }
                stack.append((next[...], rule.isGoto))
            }
        }
        if let doubt { return .undecided(doubt) }
        return policies[chain] == "DROP" ? .dropped("policy of \(chain)") : .accepted
    }
}

/// The conditions of a rule, held against a new packet. Source: iptables(8), iptables-extensions(8).
extension SavedRule {
    /// Nil where a condition is not understood.
    fileprivate func matches(_ packet: NewPacket) -> Bool? {
        var index = Self.firstCondition
        var isKnown = true
        while index < words.count {
            let inverted = words[index] == "!"
            if inverted { index += 1 }
            guard index < words.count else { return nil }
            let option = words[index]
            let value = word(index + 1)
            var width = 2
            let answer: Bool?
            switch option {
            case "-j", "-g": return isKnown ? true : nil
            case "-m", "--comment": answer = true
            case "-i": answer = Self.isInterface(packet.input, meantBy: value)
            case "-o": answer = Self.isInterface(packet.output, meantBy: value)
            case "-s": answer = IPv4Prefix(String(value)).map { $0.contains(packet.source) }
            case "-d": answer = IPv4Prefix(String(value)).map { $0.contains(packet.destination) }
            case "-p": answer = value == packet.transport.rawValue || value == packet.transport.number
            case "--syn":
                width = 1
                answer = true
            case "--dport": answer = Self.ports(value, packet.port)
            case "--dports": answer = value.split(separator: ",").contains { Self.ports($0, packet.port) == true }
            case "--sport", "--sports": answer = Self.ports(value, 40_000)
            case "--ctstate": answer = value.split(separator: ",").contains("NEW")
            case "--dst-type", "--src-type": answer = value == "UNICAST"
            case "--tcp-flags":
                // The first packet of a connection has SYN and nothing else.
                let wanted = word(index + 2)
                let looksAtSYN = value == "ALL" || value.split(separator: ",").contains("SYN")
                answer = wanted == (looksAtSYN ? "SYN" : "NONE")
                width = 3
            case "--icmp-type": answer = value == "8" || value == "any"
            default: answer = nil
            }
            guard let answer else {
                isKnown = false
                index += 1
                continue
            }
            if answer == inverted { return false }
            index += width
        }
        return isKnown ? true : nil
    }

    private static func ports(_ text: Substring, _ port: Int) -> Bool? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap({ Int($0) }) else { return nil }
        let last = parts.count > 1 ? Int(parts[1]) ?? 65_535 : first
        return first <= port && port <= last
    }
}

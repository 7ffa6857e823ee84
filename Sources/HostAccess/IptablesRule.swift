package import HostModel

/// The two worlds that iptables commands work in; a host may have rules in both.
package enum IptablesFlavour: String, Codable, Sendable, Hashable, CaseIterable {
    case nft, legacy

    /// The program that lists and changes rules: `iptables-nft`, `iptables-legacy`.
    package var program: String { "iptables-\(rawValue)" }
}

/// A table of one flavour, for IPv4.
package struct IptablesTable: Codable, Sendable, Hashable {
    package var flavour: IptablesFlavour
    /// `filter`, `nat`.
    package var name: String

    package init(_ flavour: IptablesFlavour, _ name: String) {
        self.flavour = flavour
        self.name = name
    }
}

/// One rule that a repair may add to a chain that others own: a closed set of matches and targets, whose text is
/// exactly what iptables-save(8) prints for it.
package struct IptablesRule: Codable, Sendable, Hashable {
    package enum Match: Codable, Sendable, Hashable {
        case source(IPv4Prefix)
        case notDestination(IPv4Prefix)
        case input(String)
        case output(String)
        case udpPort(Int)
        case tcpPort(Int)
        /// Answers of connections that were allowed.
        case established
    }

    package enum Target: String, Codable, Sendable, Hashable {
        case accept = "ACCEPT"
        case masquerade = "MASQUERADE"
    }

    package enum Place: Codable, Sendable, Hashable {
        case first, last
        /// Ahead of the rule with this text.
        case before(String)
    }

    package var table: IptablesTable
    package var chain: String
    /// In the order in which iptables-save prints them, which is that of the cases.
    package var matches: [Match]
    package var target: Target
    package var place: Place
    /// Whether the rule is the first of its table, which goes with it again; nil: no.
    package var makesTable: Bool?

    package init(
        _ table: IptablesTable, _ chain: String, _ matches: [Match], _ target: Target, place: Place = .last
    ) {
        self.table = table
        self.chain = chain
        self.matches = matches
        self.target = target
        self.place = place
    }

    /// What follows the chain on a command line.
    package var words: [String] {
        matches.flatMap { match -> [String] in
            switch match {
            case .source(let prefix): ["-s", prefix.description]
            case .notDestination(let prefix): ["!", "-d", prefix.description]
            case .input(let link): ["-i", link]
            case .output(let link): ["-o", link]
            case .udpPort(let port): ["-p", "udp", "-m", "udp", "--dport", String(port)]
            case .tcpPort(let port): ["-p", "tcp", "-m", "tcp", "--dport", String(port)]
            case .established: ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
            }
        } + ["-j", target.rawValue]
    }

    /// The line of iptables-save: `-A FORWARD -i lxcbr1 -j ACCEPT`.
    package var line: String { (["-A", chain] + words).joined(separator: " ") }

    /// The command that adds it. `position`: among the rules of the chain, from 1; nil: at the end.
    package func insertion(position: Int?) -> [String] {
        ["-w", "5", "-t", table.name] + (position.map { ["-I", chain, String($0)] } ?? ["-A", chain]) + words
    }

    package var deletion: [String] { ["-w", "5", "-t", table.name, "-D", chain] + words }
}

/// The rules of a table as iptables-save prints them.
package struct IptablesListing: Codable, Sendable, Hashable {
    /// The policy by chain; `-` for a chain that is not built in.
    package private(set) var policies: [String: String] = [:]
    /// `-A CHAIN …`, in order. Counters are left out.
    package private(set) var lines: [String] = []

    package init(policies: [String: String] = [:], lines: [String] = []) {
        self.policies = policies
        self.lines = lines
    }

    /// From the text of iptables-save with one table.
    package init(text: String) {
        for line in text.split(separator: "\n") {
            if line.hasPrefix(":") {
                let words = line.dropFirst().split(separator: " ")
                if words.count >= 2 { policies[String(words[0])] = String(words[1]) }
            } else if line.hasPrefix("-A ") {
                lines.append(String(line))
            }
        }
    }

    /// As iptables-save prints it, without counters.
    package var text: String {
        (policies.sorted { $0.key < $1.key }.map { ":\($0.key) \($0.value) [0:0]" } + lines)
            .map { $0 + "\n" }.joined()
    }

    private static let builtIn: Set<String> = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]

    /// Whether rules can be added to the chain: a table that is not loaded yet has its built-in chains once it is.
    package func holds(_ chain: String) -> Bool {
        policies[chain] != nil || (policies.isEmpty && Self.builtIn.contains(chain))
    }

    package func rules(of chain: String) -> [String] { lines.filter { $0.hasPrefix("-A \(chain) ") } }

    /// Whether the rule is there: one that is to stand ahead of another, ahead of it; one that is to be first, with
    /// nothing but its like before it. The same rule may stand further behind as well, where it is never reached.
    package func contains(_ rule: IptablesRule) -> Bool {
        let own = rules(of: rule.chain)
        guard let index = own.firstIndex(of: rule.line) else { return false }
        switch rule.place {
        case .last: return true
        case .first: return own[..<index].allSatisfy { $0.hasSuffix("-j \(rule.target.rawValue)") }
        case .before(let neighbour): return own.firstIndex(of: neighbour).map { index < $0 } ?? true
        }
    }

    /// Where the rule goes among the rules of its chain, from 1; nil: at the end, or its neighbour is gone.
    package func position(of rule: IptablesRule) -> Int? {
        switch rule.place {
        case .first: 1
        case .last: nil
        case .before(let neighbour): rules(of: rule.chain).firstIndex(of: neighbour).map { $0 + 1 }
        }
    }

    /// Whether the table holds nothing but its own chains with the policy that they begin with, if it is there at all:
    /// iptables-nft-save lists these either way.
    package var isBare: Bool { lines.isEmpty && policies.values.allSatisfy { $0 == "ACCEPT" } }

    package mutating func insert(_ rule: IptablesRule) {
        let own = rules(of: rule.chain)
        guard let position = position(of: rule), position <= own.count,
            let index = lines.firstIndex(of: own[position - 1])
        else {
            lines.append(rule.line)
            return
        }
        lines.insert(rule.line, at: index)
    }

    package mutating func remove(_ rule: IptablesRule) {
        if let index = lines.firstIndex(of: rule.line) { lines.remove(at: index) }
    }
}

internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import WireFormats

/// A program that makes the host's firewall, with what shows that it does so now.
struct FirewallFrontEnd: Hashable {
    var name: String
    var evidence: Evidence

    /// Those that have rules in the kernel now and mean to keep them. Docker, libvirt and the like add rules of their own
    /// beside a firewall; they are none.
    static func active(
        in ruleset: Ruleset, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> [FirewallFrontEnd] {
        var found: [FirewallFrontEnd] = []
        func chain(_ matches: (Ruleset.Chain) -> Bool) -> String? {
            ruleset.chains.first(where: matches).map { "\(ruleset.tables[$0.table].description) \($0.name)" }
        }
        // `ufw disable` leaves its chains behind, empty.
        if let place = chain({ $0.name.hasPrefix("ufw-before-") }), let line = try ufwSwitch(reader) {
            found.append(
                FirewallFrontEnd(
                    name: "ufw", evidence: Evidence(line, pattern: "ENABLED", value: "ENABLED=yes, chain \(place)")))
        }
        if let place = chain({ chain in
            ruleset.tables[chain.table].name.name == "firewalld" || chain.name == "FORWARD_ZONES"
        }) {
            found.append(
                FirewallFrontEnd(
                    name: "firewalld",
                    evidence: Evidence(
                        source: place, command: "firewall-cmd --state; nft list table inet firewalld",
                        value: "firewalld's chains are there")))
        }
        // Shorewall notes in an empty chain of this name when it was started.
        if let place = chain({ $0.name == "shorewall" }) {
            found.append(
                FirewallFrontEnd(
                    name: "shorewall",
                    evidence: Evidence(
                        source: place, command: "shorewall status", value: "shorewall's chains are there")))
        }
        return found
    }

    private static func ufwSwitch(_ reader: ConfigurationReader) throws(ObservationFailure) -> SourceLocation? {
        guard let bytes = try reader.bytes("/etc/ufw/ufw.conf") else { return nil }
        for (number, line) in TextLines(bytes).numbered {
            let text = line.drop(while: \.isWhitespace)
            guard text.hasPrefix("ENABLED=") else { continue }
            let value = text.dropFirst(8).filter { $0 != "\"" && $0 != "'" }.lowercased()
            return value == "yes" ? SourceLocation(file: "/etc/ufw/ufw.conf", line: number) : nil
        }
        return nil
    }
}

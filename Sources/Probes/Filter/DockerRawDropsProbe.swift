package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `docker-raw-drops {network, bridge, address, target}`: addresses of Docker's containers that rules before routing keep
/// from everybody who does not come by Docker's own bridge, and whether these containers are among them.
///
/// Docker 28 and later: `-t raw -A PREROUTING -d ADDRESS ! -i BRIDGE -j DROP`.
package struct DockerRawDropsProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "docker-raw-drops", summary: "Docker's containers that others are kept from before routing",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: ["addresses": .strings, "count": .integer, "rule": .string])

    private static let mostRules = 4_096

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let filter = try NetworkFilter(on: host)
        let bridge = try parameters.string("bridge")
        guard filter.forwarding.link(bridge) != nil else { throw .notApplicable("there is no link \(bridge)") }
        let questions = filter.questions(
            network: try parameters.prefix("network"), bridge: bridge, address: try parameters.address("address"),
            target: try parameters.address("target"))
        let ruleset = filter.ruleset
        var addresses: [String] = []
        var first: Int?
        // NF_IP_PRI_RAW is -300.
        for chain in ruleset.chains(at: .prerouting, -301 ... -299) {
            for rule in ruleset.chains[chain].rules.prefix(Self.mostRules) {
                guard let address = Self.guarded(ruleset.text(ofRule: rule)) else { continue }
                let packet = SamplePacket(
                    inputInterface: bridge, source: questions.someContainer, destination: address, protocol: .tcp,
                    sourcePort: 40000, destinationPort: 80)
                guard questions.walk.walk(packet).verdict == .dropped else { continue }
                if first == nil { first = rule }
                addresses.append(address.description)
            }
        }
        return Observation(
            facts: [
                "addresses": .strings(Array(addresses.prefix(16))), "count": .integer(addresses.count),
                "rule": .string(first.map(ruleset.text(ofRule:)) ?? ""),
            ],
            evidence: [
                first.map { Evidence(rule: $0, of: ruleset) }
                    ?? Evidence(
                        source: "nfnetlink NFT_MSG_GETRULE", command: "iptables -t raw -S PREROUTING; nft list ruleset",
                        value: "no rule keeps containers from one address before routing")
            ])
    }

    /// The address of a rule of that shape, in the notation of iptables or of nft.
    static func guarded(_ text: String) -> IPv4Address? {
        let words = text.split(separator: " ").map(String.init)
        func behind(_ sequence: [String]) -> String? {
            guard words.count > sequence.count else { return nil }
            for start in 0..<words.count - sequence.count
            where Array(words[start..<start + sequence.count]) == sequence {
                return words[start + sequence.count]
            }
            return nil
        }
        guard words.last.map({ $0.lowercased() == "drop" }) == true,
            behind(["!", "-i"]) ?? behind(["iifname", "!="]) != nil,
            let target = behind(["-d"]) ?? behind(["ip", "daddr"]), let prefix = IPv4Prefix(target), prefix.length == 32
        else { return nil }
        return prefix.address
    }
}

/// What a ruleset may hold that the model cannot decide. Kept to some of the rulesets, so that in the others every answer
/// must be definite.
struct Spice {
    /// Matches that come out differently from packet to packet.
    var hasChance: Bool
    /// What the model says nothing definite of: sockets of this host, and what goes to user space.
    var hasUnsaid: Bool
    /// Whether the kernel knows flowtables.
    var hasFlowtables: Bool
    /// Without anything that makes the kernel track connections: then fragments come as they are.
    var hasConntrack = true
}

/// A ruleset of one backend or of several, and the packets for it.
struct RulesetGenerator {
    enum Mix: String, CaseIterable {
        case nft, iptablesNft, iptablesLegacy, mixed
    }

    static func make(seed: UInt64, packets count: Int, hasFlowtables: Bool) -> (GeneratedRuleset, [TestPacket]) {
        var random = SeededGenerator(seed)
        // Packets are drawn apart from rules, so that leaving out a rule changes no packet.
        var packets = PacketGenerator(random: SeededGenerator(random.next()))
        let variant = HostVariant(
            bridgeNetfilter: random.chance(70), policyRouting: random.chance(40),
            reversePathFilter: random.weighted([(80, 0), (10, 1), (10, 2)]))
        let mix = Mix.allCases[Int(seed % 4)]
        let spice = Spice(hasChance: random.chance(25), hasUnsaid: random.chance(8), hasFlowtables: hasFlowtables)
        var tables: [GeneratedTable] = []
        if mix == .nft || mix == .mixed {
            var generator = NftGenerator(random: SeededGenerator(random.next()), spice: spice)
            for number in 0..<(mix == .mixed ? 1 : 1 + random.below(3)) { tables.append(generator.table(number)) }
        }
        var names: Set<String> = []
        for backend in random.pick([
            [GeneratedTable.Backend.iptablesNft, .iptablesLegacy], [.iptablesLegacy, .iptablesNft],
        ]) {
            let isWanted =
                mix == .mixed ? random.chance(60) : mix == (backend == .iptablesNft ? .iptablesNft : .iptablesLegacy)
            guard isWanted else { continue }
            var generator = IptablesGenerator(random: SeededGenerator(random.next()), backend: backend, spice: spice)
            for (name, percent) in [("raw", 45), ("mangle", 45), ("nat", 80), ("filter", 85), ("security", 10)]
            where random.chance(percent) {
                // Tables of one name stand at the same places, and which of them runs first no dump shows.
                guard names.insert(name).inserted || random.chance(10) else { continue }
                tables.append(generator.table(name))
            }
        }
        return (GeneratedRuleset(tables: tables, variant: variant), (0..<count).map { _ in packets.packet() })
    }

    /// A ruleset that does not make the kernel track connections, with fragments for packets. Such rulesets come first:
    /// once iptables-legacy's nat table is there it stays, and with it conntrack.
    static func untracked(seed: UInt64, packets count: Int) -> (GeneratedRuleset, [TestPacket]) {
        var random = SeededGenerator(seed)
        var packets = PacketGenerator(random: SeededGenerator(random.next()))
        let variant = HostVariant(bridgeNetfilter: random.chance(70), policyRouting: false, reversePathFilter: 0)
        let spice = Spice(hasChance: false, hasUnsaid: false, hasFlowtables: false, hasConntrack: false)
        var tables: [GeneratedTable] = []
        if seed % 2 == 0 {
            var generator = NftGenerator(random: SeededGenerator(random.next()), spice: spice)
            tables = [generator.table(0), generator.table(1)]
        } else {
            var generator = IptablesGenerator(
                random: SeededGenerator(random.next()), backend: .iptablesNft, spice: spice)
            tables = ["raw", "mangle", "filter"].map { generator.table($0) }
        }
        let fragments = (0..<count).map { _ in
            var packet = packets.packet()
            // What is for the host itself is put together first.
            while packet.sender == .host || Ground.own.contains(packet.sample.destination.description)
                || packet.sample.destination.value >> 28 >= 0xe
            {
                packet = packets.packet()
            }
            packet.stage = .opening
            packet.sample.fragment = true
            (packet.sample.sourcePort, packet.sample.destinationPort) = (0, 0)
            return packet
        }
        return (GeneratedRuleset(tables: tables, variant: variant), fragments)
    }

    /// A ruleset with a flowtable, and nothing else: for a kernel to refuse.
    static let flowtable = GeneratedRuleset(
        tables: [
            GeneratedTable(
                backend: .nft, family: "ip", name: "t0",
                preamble: ["flowtable fast { hook ingress priority 0; devices = { up0, up1 }; }"], chains: [])
        ], variant: HostVariant(bridgeNetfilter: false, policyRouting: false, reversePathFilter: 0))
}

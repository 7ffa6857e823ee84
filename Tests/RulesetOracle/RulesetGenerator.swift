/// What a ruleset may hold that the model cannot decide. Kept to some of the rulesets, so that in the others every answer
/// must be definite.
struct Spice {
    /// Matches that come out differently from packet to packet.
    var hasChance: Bool
    /// Matches of what the model is not told: lifetime, length.
    var hasUnsaid: Bool
    /// Whether the kernel knows flowtables.
    var hasFlowtables: Bool
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
        let spice = Spice(hasChance: random.chance(25), hasUnsaid: random.chance(6), hasFlowtables: hasFlowtables)
        var tables: [GeneratedTable] = []
        if mix == .nft || mix == .mixed {
            var generator = NftGenerator(random: SeededGenerator(random.next()), spice: spice)
            for number in 0..<(mix == .mixed ? 1 : 1 + random.below(3)) { tables.append(generator.table(number)) }
        }
        for backend in [GeneratedTable.Backend.iptablesNft, .iptablesLegacy] {
            let isWanted =
                mix == .mixed ? random.chance(60) : mix == (backend == .iptablesNft ? .iptablesNft : .iptablesLegacy)
            guard isWanted else { continue }
            var generator = IptablesGenerator(random: SeededGenerator(random.next()), backend: backend, spice: spice)
            for (name, percent) in [("raw", 45), ("mangle", 45), ("nat", 80), ("filter", 85), ("security", 10)]
            where random.chance(percent) {
                tables.append(generator.table(name))
            }
        }
        return (GeneratedRuleset(tables: tables, variant: variant), (0..<count).map { _ in packets.packet() })
    }

    /// A ruleset with a flowtable, and nothing else: for a kernel to refuse.
    static let flowtable = GeneratedRuleset(
        tables: [
            GeneratedTable(
                backend: .nft, family: "ip", name: "t0",
                preamble: ["flowtable fast { hook ingress priority 0; devices = { up0, up1 }; }"], chains: [])
        ], variant: HostVariant(bridgeNetfilter: false, policyRouting: false, reversePathFilter: 0))
}

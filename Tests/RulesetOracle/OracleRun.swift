import FoundationEssentials
import Glibc
import HostAccess
import HostModel
import LinuxHost
import OracleSupport
import PacketFilter
import Probes
import WireFormats

/// One run: rulesets from consecutive seeds, a few packets each.
struct OracleRun {
    let options: OracleOptions

    init(_ options: OracleOptions) {
        self.options = options
    }

    func run() throws -> Int32 {
        let kernel = try Kernel()
        var tally = Tally()
        do {
            try kernel.load(RulesetGenerator.flowtable)
        } catch {
            tally.missing.insert("nft flow add")
        }
        let began = Self.seconds()
        for (number, directed) in DirectedCase.all.enumerated() {
            if !directed.setup.isEmpty { try Tool.run(["sh", "-e"], input: directed.setup + "\n") }
            try judge(
                UInt64(number), directed.ruleset, try directed.testPackets(), kernel, &tally,
                name: "'\(directed.name)' ", isOpen: directed.isOpen)
            if !directed.undo.isEmpty { try Tool.run(["sh", "-e"], input: directed.undo + "\n") }
        }
        // Of every fifty pairs one is a fragment.
        for seed in options.seed..<options.seed + UInt64(options.pairs / 50 / options.packets) {
            let (ruleset, packets) = RulesetGenerator.untracked(seed: seed, packets: options.packets)
            try judge(seed, ruleset, packets, kernel, &tally, name: "fragments ")
        }
        var seed = options.seed
        while tally.pairs < options.pairs {
            let (ruleset, packets) = RulesetGenerator.make(
                seed: seed, packets: min(options.packets, options.pairs - tally.pairs),
                hasFlowtables: tally.missing.isEmpty)
            try judge(seed, ruleset, packets, kernel, &tally)
            seed += 1
        }
        print(tally.text(seconds: Self.seconds() - began))
        return verdict(tally)
    }

    private func judge(
        _ seed: UInt64, _ ruleset: GeneratedRuleset, _ packets: [TestPacket], _ kernel: Kernel, _ tally: inout Tally,
        name: String = "", isOpen: Bool = false
    ) throws {
        do {
            try kernel.load(ruleset)
        } catch {
            tally.refused.append("\(name)seed \(seed): \(error)")
            print("\(name)seed \(seed) refused: \(error)")
            return
        }
        tally.draw(ruleset)
        let host = RecordingHost(LiveHost())
        let model = try FilterModel(reading: host)
        let index = RuleIndex(ruleset, model.ruleset.nft)
        if index.mismatches > 0 {
            print("seed \(seed): \(index.mismatches) chains read back with another number of rules")
        }
        let isRandom = ruleset.isRandom
        let claims = ProvenClaims(model.ruleset, model.forwarding)
        for (question, answer) in claims.answers {
            tally.answers["\(question.rawValue) \(answer.verdict.rawValue)", default: 0] += 1
        }
        var wrong: [(Int, TestPacket)] = []
        for (number, drawn) in packets.enumerated() {
            var wanted = drawn
            if ruleset.hidesFlows { wanted.stage = .opening }
            let (outcome, packet) = try kernel.send(wanted) { index.rule($0)?.rule }
            tally.note(outcome, packet, index)
            if options.kernelOnly { continue }
            let walk = PacketWalk(ruleset: model.ruleset, host: model.forwarding)
            let result = walk.walk(packet.sample)
            if options.isVerbose { tell(packet, outcome, result, index) }
            let comparison = Comparison.of(outcome, result, packet.sample, isRandom: isRandom)
            switch claims.contradiction(outcome, packet.sample).map(Comparison.disagreed) ?? comparison {
            case .undecided where isOpen: tally.agreed += 1
            case .agreed where isOpen:
                tally.disagreed += 1
                print("\(name)\(Self.text(packet)): the model decides what nothing shows")
            case .agreed: tally.agreed += 1
            case .eitherWay: tally.eitherWay += 1
            case .undecided(let reason): tally.undecided[reason, default: 0] += 1
            case .disagreed(let text):
                tally.disagreed += 1
                print("\(name)seed \(seed) packet \(number) \(Self.text(packet)): \(text)")
                wrong.append((number, wanted))
            }
        }
        if options.isVerbose { return }
        for (number, packet) in wrong where tally.kept < OracleOptions.mostCases {
            guard var found = try Minimiser(kernel: kernel, packet: packet).minimise(ruleset) else { continue }
            tally.kept += 1
            found.name = "\(String(name.map { $0.isLetter ? $0 : "-" }))seed-\(seed)-packet-\(number)"
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print("minimised: \(found.reason)")
            for line in found.ruleset where !line.hasPrefix(":") { print("    \(line)") }
            print("CASE \(found.name) \(String(decoding: try encoder.encode(found), as: UTF8.self))")
        }
    }

    private func tell(_ packet: TestPacket, _ outcome: KernelOutcome, _ result: WalkResult, _ index: RuleIndex) {
        print(
            "\(Self.text(packet))\n  kernel: \(outcome.fate) \(outcome.link ?? "") \(outcome.source.map(\.description) ?? "") > \(outcome.destination.map(\.description) ?? "")"
        )
        for place in outcome.applied { print("    \(place): \(index.rule(place)?.rule.text ?? "?")") }
        print(
            "  model: \(result.verdict) \(result.reason ?? "") \(result.uplink ?? "") \(result.sourceAfter.map(\.description) ?? "") > \(result.destinationAfter.map(\.description) ?? "") killer \(result.killer?.text ?? "-")"
        )
        for step in result.path {
            print(
                "    \(step.hook) \(step.family ?? "") \(step.table ?? "") \(step.chain ?? "") \(step.link ?? "") \(step.rule ?? "")"
            )
        }
    }

    static func text(_ packet: TestPacket) -> String {
        let sample = packet.sample
        return
            "\(sample.protocol) \(sample.source):\(sample.sourcePort) > \(sample.destination):\(sample.destinationPort) iif \(sample.inputInterface ?? "-") port \(sample.inputPort ?? "-") mark \(sample.mark) \(packet.stage)"
    }

    private func verdict(_ tally: Tally) -> Int32 {
        var failures: [String] = []
        if tally.disagreed > 0 { failures.append("\(tally.disagreed) disagreements") }
        if tally.undecidedCount * 100 >= tally.pairs, !options.kernelOnly { failures.append("1 % or more undecided") }
        if tally.refused.count * 50 > tally.rulesets {
            failures.append("the kernel refused \(tally.refused.count) rulesets")
        }
        if options.pairs >= 1000 {
            if tally.rulesets * 5 < tally.pairs { failures.append("fewer than 200 rulesets per 1,000 pairs") }
            for backend in GeneratedTable.Backend.allCases where (tally.backends[backend] ?? 0) * 5 < tally.rulesets {
                failures.append("\(backend.rawValue) below 20 %")
            }
            for (name, count) in [
                ("dropped", tally.dropped), ("translated", tally.translated), ("leaked", tally.leaked),
            ]
            where count * 100 < tally.pairs * 15 {
                failures.append("\(name) below 15 %")
            }
            if !tally.silent.isEmpty { failures.append("never decided: \(tally.silent.joined(separator: ", "))") }
        }
        for failure in failures { print("FAILED: \(failure)") }
        return failures.isEmpty || options.reportOnly ? 0 : 1
    }

    static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}

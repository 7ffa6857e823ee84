import Foundation
import HostAccess
import OracleSupport
import Probes
import Testing

/// Pairs of ruleset and packet about which the model was wrong once, against what the kernel did.
@Suite struct OracleCaseTests {
    static let cases: [String] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("OracleCases")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().map { folder.appendingPathComponent($0).path }
    }()

    @Test func thereAreCases() {
        #expect(!Self.cases.isEmpty)
    }

    @Test(arguments: cases) func theModelSaysWhatTheKernelDid(path: String) throws {
        let kept = try JSONDecoder().decode(OracleCase.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        let model = try FilterModel(reading: ReplayHost(kept.transcript))
        let comparison = kept.compare(model.ruleset, model.forwarding)
        #expect(
            comparison == .agreed || kept.isRandom && comparison == .eitherWay,
            "\(comparison)\n\(kept.ruleset.joined(separator: "\n"))")
    }
}

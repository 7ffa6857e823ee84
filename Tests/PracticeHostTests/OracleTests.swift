import Foundation
import Testing

/// A fixed thousand of random rulesets and packets: the ruleset model and the kernel must agree on every one.
@Suite(.serialized, .enabled(if: BuiltProgram.isRoot)) struct OracleTests {
    /// A seed with which every match and target decides some packet.
    static let seed = 701

    @Test(.timeLimit(.minutes(15))) func theModelAgreesWithTheKernel() {
        _ = BuiltProgram.layers
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("RulesetOracle/oracle").path
        let folder = URL(fileURLWithPath: BuiltProgram.path).deletingLastPathComponent()
        let result = BuiltProgram.run([
            script, BuiltProgram.path, folder.appendingPathComponent("ruleset-oracle").path, "-", "--pairs", "1000",
            "--seed", "\(Self.seed)",
        ])
        #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        #expect(result.output.contains("1000 pairs"))
    }
}

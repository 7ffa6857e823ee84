import Glibc
import HostAccess
import LinuxHost
import OracleSupport
import PacketFilter
import WireFormats

/// `ruleset-oracle [--seed S] [--pairs N] [--packets PER-RULESET] [--report-only] [--kernel-only]
/// [--verbose] [--show SEED] [--dump-rules] [--list-rules] [--load SEED]`: random rulesets and packets, the model held against the kernel.
@main
struct RulesetOracle {
    static func main() {
        do {
            let options = try OracleOptions(Array(CommandLine.arguments.dropFirst()))
            if options.dumps { return try RuleDump.run() }
            if options.lists { return try RuleTexts.run() }
            if let seed = options.load {
                return try Kernel.load(
                    alone: RulesetGenerator.make(seed: seed, packets: options.packets, hasFlowtables: false).0)
            }
            if let seed = options.show {
                print(RulesetGenerator.make(seed: seed, packets: options.packets, hasFlowtables: false).0.text)
                return
            }
            exit(try OracleRun(options).run())
        } catch {
            print("ruleset-oracle: \(error)")
            exit(70)
        }
    }
}

struct OracleOptions {
    var seed: UInt64 = 1
    var pairs = 1000
    var packets = 4
    /// Disagreement is printed, but no failure.
    var reportOnly = false
    /// The model is not asked.
    var kernelOnly = false
    /// More cases of disagreement than this are not minimised in one run.
    static let mostCases = 5
    var show: UInt64?
    /// Only load the ruleset of a seed, and leave it.
    var load: UInt64?
    /// Only read the rules once, for measuring.
    var dumps = false
    /// Only write every rule as the product lists it.
    var lists = false
    /// Every packet is told of, with the rules applied to it.
    var isVerbose = false

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func value(_ option: String) throws -> String {
            guard let text = rest.popFirst() else { throw OracleError("\(option) needs a value") }
            return text
        }
        func number(_ option: String) throws -> Int {
            guard let number = Int(try value(option)), number >= 0 else {
                throw OracleError("\(option) needs a number")
            }
            return number
        }
        while let option = rest.popFirst() {
            switch option {
            case "--seed": seed = UInt64(try number(option))
            case "--pairs": pairs = try number(option)
            case "--packets": packets = max(1, try number(option))
            case "--report-only": reportOnly = true
            case "--kernel-only": kernelOnly = true
            case "--load": load = UInt64(try number(option))
            case "--show": show = UInt64(try number(option))
            case "--verbose": isVerbose = true
            case "--dump-rules": dumps = true
            case "--list-rules": lists = true
            default: throw OracleError("unknown option \(option)")
            }
        }
    }
}

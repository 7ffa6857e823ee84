import CheckCatalog
import FoundationEssentials
import HostModel

/// One case of a case file: what was seen, and what the check must make of it.
///
/// Shape of a file: `check: ID`, and `cases:` with per case `name`, one of `facts` (literals), `unknown` (a reason) or
/// `notApplicable`, optionally `with` (template variables that differ from the makina profile's), and what is wanted:
/// `verdict`, `cause` or `causes`, `severity`.
struct CheckCase: CustomStringConvertible, Sendable {
    var check: String
    var name: String
    var outcome: Result<Observation, ObservationFailure>
    var with: [String: FactValue]
    var verdict: Verdict
    var causes: [String]
    var severity: Severity?

    var description: String { "\(check): \(name)" }
}

struct BadCaseFile: Error, CustomStringConvertible {
    var description: String
}

enum CaseFiles {
    static let folder = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/Cases"

    /// Every case below `Cases`.
    static func load() throws -> [CheckCase] {
        var cases: [CheckCase] = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder).sorted() where path.hasSuffix(".yaml") {
            guard let data = FileManager.default.contents(atPath: folder + "/" + path) else {
                throw BadCaseFile(description: "\(path) cannot be read")
            }
            cases += try read(try YAMLReader.read(Array(data), file: path), path)
        }
        return cases
    }

    private static func read(_ node: YAMLNode, _ path: String) throws -> [CheckCase] {
        let file = try mapping(node, path, ["check", "cases"])
        guard let check = file["check"], let list = file["cases"], case .sequence(let items) = list.content else {
            throw BadCaseFile(description: "\(path): check or cases is missing")
        }
        let id = try check.scalar(path)
        guard path == id.split(separator: ".").joined(separator: "/") + ".yaml" else {
            throw BadCaseFile(description: "\(path) holds cases of \(id)")
        }
        return try items.map { try one($0, id, path) }
    }

    private static func one(_ node: YAMLNode, _ check: String, _ path: String) throws -> CheckCase {
        let keys = ["name", "facts", "unknown", "notApplicable", "with", "verdict", "cause", "causes", "severity"]
        let fields = try mapping(node, path, keys)
        guard let name = fields["name"], let verdict = Verdict(rawValue: try fields["verdict"]?.scalar(path) ?? "")
        else {
            throw BadCaseFile(description: "\(path):\(node.line): name or verdict is missing or wrong")
        }
        var outcome: Result<Observation, ObservationFailure> = .success(Observation())
        if let facts = fields["facts"] {
            outcome = .success(Observation(facts: try values(facts, path)))
        } else if let reason = fields["unknown"] {
            outcome = .failure(.unknown(try reason.scalar(path)))
        } else if let reason = fields["notApplicable"] {
            outcome = .failure(.notApplicable(try reason.scalar(path)))
        }
        var causes: [String] = []
        if let cause = fields["cause"] { causes = [try cause.scalar(path)] }
        if case .sequence(let items)? = fields["causes"]?.content { causes = try items.map { try $0.scalar(path) } }
        return CheckCase(
            check: check, name: try name.scalar(path), outcome: outcome,
            with: try fields["with"].map { try values($0, path) } ?? [:], verdict: verdict, causes: causes,
            severity: try fields["severity"].flatMap { Severity(rawValue: try $0.scalar(path)) })
    }

    private static func mapping(_ node: YAMLNode, _ path: String, _ keys: [String]?) throws -> [String: YAMLNode] {
        guard case .mapping(let entries) = node.content else {
            throw BadCaseFile(description: "\(path):\(node.line): not a mapping")
        }
        var result: [String: YAMLNode] = [:]
        for entry in entries {
            if let keys, !keys.contains(entry.key) {
                throw BadCaseFile(description: "\(path):\(entry.line): unknown key \(entry.key)")
            }
            result[entry.key] = entry.value
        }
        return result
    }

    private static func values(_ node: YAMLNode, _ path: String) throws -> [String: FactValue] {
        try mapping(node, path, nil).mapValues { node in
            switch node.content {
            case .scalar(let text, let quoted):
                if !quoted, text == "true" || text == "false" { return .boolean(text == "true") }
                if !quoted, let number = Int(text) { return .integer(number) }
                return .string(text)
            case .sequence(let items): return .strings(try items.map { try $0.scalar(path) })
            case .mapping: throw BadCaseFile(description: "\(path):\(node.line): a value is wanted")
            }
        }
    }
}

extension YAMLNode {
    fileprivate func scalar(_ path: String) throws -> String {
        guard case .scalar(let text, _) = content else {
            throw BadCaseFile(description: "\(path):\(line): text is wanted")
        }
        return text
    }
}

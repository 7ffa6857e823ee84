import Foundation

/// Where things lie in the source tree, and programs that judge what we write.
enum Workplace {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let examples = root.appendingPathComponent("reports/examples")
    static let schemas = root.appendingPathComponent("reports/schema")

    /// Examples whose name begins otherwise than with one of these are reports.
    static let otherSchemas: Set<String> = [
        "plan", "proof", "recording", "list", "undo", "history", "journal", "confirmation", "diff", "verify",
        "watch",
    ]
    /// Examples that the tests of the fix module write.
    static let repairExamples = [
        "plan.full.json", "plan.sh", "plan.ansible.yaml", "undo.json", "history.json", "journal.json",
        "confirmation.json",
    ]

    struct Judgement {
        /// Why each invalid document is invalid, by file name.
        var invalid: [String: String] = [:]
        var valid: Set<String> = []
    }

    struct ValidatorFailed: Error, CustomStringConvertible {
        let description: String
    }

    /// Asks the independent validator. Throws where there is none, or where it failed: never skips.
    static func validate(_ documents: [URL], schema: String, closed: Bool = false) throws -> Judgement {
        let process = Process()
        process.executableURL = root.appendingPathComponent("Tests/Tools/validate-schema")
        process.arguments =
            (closed ? ["--closed"] : []) + [schemas.appendingPathComponent("\(schema).v1.schema.json").path]
            + documents.map(\.path)
        let output = Pipe()
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationReason == .exit, [0, 1].contains(process.terminationStatus) else {
            let why = try String(decoding: Data(contentsOf: errors), as: UTF8.self)
            throw ValidatorFailed(description: "status \(process.terminationStatus): \(why)")
        }
        var judgement = Judgement()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { continue }
            let rest = words[1].split(separator: ": ", maxSplits: 1)
            let name = URL(fileURLWithPath: String(rest[0])).lastPathComponent
            if words[0] == "valid" {
                judgement.valid.insert(name)
            } else {
                judgement.invalid[name] = rest.count == 2 ? String(rest[1]) : ""
            }
        }
        guard judgement.valid.count + judgement.invalid.count == documents.count else {
            throw ValidatorFailed(description: "did not judge every document: \(text)")
        }
        return judgement
    }

    /// Runs a tool to its end. Throws where there is none.
    static func run(_ tool: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool.hasPrefix("/") ? tool : "/usr/bin/\(tool)")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationReason == .exit ? process.terminationStatus : -1, text)
    }

    /// Writes documents below a directory of their own, which goes away afterwards.
    static func withFiles<Value>(_ contents: [String: Data], _ body: ([URL]) throws -> Value) throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("reporting-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = try contents.sorted { $0.key < $1.key }.map { name, data in
            let file = directory.appendingPathComponent(name)
            try data.write(to: file)
            return file
        }
        return try body(files)
    }
}

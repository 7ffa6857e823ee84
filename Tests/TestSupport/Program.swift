import Foundation

/// The built `lxc-doctor`, run as a user runs it.
package enum Program {
    package struct Ended: Sendable {
        package var status: Int32
        package var output: String
        package var messages: String
    }

    /// The program that was built beside these tests.
    package static let path: String = {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for folder in [
            tests, tests.deletingLastPathComponent(), tests.deletingLastPathComponent().deletingLastPathComponent(),
        ] {
            let program = folder.appendingPathComponent("lxc-doctor").path
            if FileManager.default.isExecutableFile(atPath: program) { return program }
        }
        return "lxc-doctor-was-not-built"
    }()

    /// Runs a program to its end. Standard input is empty unless given; output is read while it runs.
    package static func run(
        _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> Ended {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lxc-doctor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            do { try FileManager.default.removeItem(at: folder) } catch { print("left behind: \(folder.path)") }
        }
        // Files, not pipes: nothing to drain, and no thread that could be starved.
        let files = try ["in", "out", "err"].map { name -> FileHandle in
            let file = folder.appendingPathComponent(name)
            try Data((name == "in" ? input ?? "" : "").utf8).write(to: file)
            return try name == "in" ? FileHandle(forReadingFrom: file) : FileHandle(forWritingTo: file)
        }
        process.standardInput = files[0]
        process.standardOutput = files[1]
        process.standardError = files[2]
        try process.run()
        process.waitUntilExit()
        for file in files { try file.close() }
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
        }
        return Ended(status: process.terminationStatus, output: try text("out"), messages: try text("err"))
    }

    /// Runs `lxc-doctor` itself.
    package static func run(_ arguments: [String]) throws -> Ended {
        try run(path, arguments)
    }

    /// Runs a shell script on a practice host.
    package static func lab(_ options: [String] = [], _ script: String) throws -> Ended {
        try run(path, ["lab", "run"] + options + ["--", "sh", "-c", script])
    }
}

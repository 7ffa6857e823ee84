import Foundation
import TestSupport
import Testing

/// A practice host with one `lxc-doctor watch` on it.
enum WatchLab {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Runs a Python script over `watch_lab.py` on a practice host; it says what is wrong, and fails, with its last words.
    @discardableResult
    static func run(_ options: [String] = [], _ script: String) throws -> Program.Ended {
        let head =
            "import sys\nsys.path.insert(0, '\(root)/Tests/Tools')\nsys.dont_write_bytecode = True\n"
            + "from watch_lab import *\nROOT = '\(root)'\n"
        return try Program.run(
            Program.path, ["lab", "run"] + options + ["--", "python3", "-c", head + script])
    }

    /// The same, for a script that must succeed.
    @discardableResult
    static func pass(
        _ options: [String] = [], _ script: String, location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let ended = try run(options, script)
        #expect(ended.status == 0, "\(ended.output)\(ended.messages)", sourceLocation: location)
        return ended.output
    }
}

import FoundationEssentials
import Glibc
import HostAccess
import HostModel
import Testing

@testable import LinuxHost

/// Scripts that stand in for a program, in a directory of the test's own. They need root, as a program that is run
/// must be root's.
@Suite(.enabled(if: isRoot)) struct ProgramTests {
    private func version(_ script: String?, mode: Int = 0o755) throws -> Result<String, HostError> {
        var result: Result<String, HostError> = .success("")
        try withDirectory { directory in
            if let script {
                let path = directory + "/lxc-start"
                try Data(("#!/bin/sh\n" + script + "\n").utf8).write(to: URL(filePath: path))
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            }
            // Another test's child may hold the script open for writing between its fork and its exec: ETXTBSY.
            for _ in 0..<100 {
                do {
                    result = .success(try LiveHost().version(of: .lxcStart, in: [directory], milliseconds: 500))
                } catch let error as HostError {
                    result = .failure(error)
                    if error.errno == ETXTBSY {
                        usleep(10_000)
                        continue
                    }
                }
                break
            }
        }
        return result
    }

    @Test func readsTheVersion() throws {
        #expect(try version("[ \"$1\" = --version ] && [ $# = 1 ] && echo 5.0.2; echo noise >&2").get() == "5.0.2")
        // Nothing to read, and no variables of ours.
        #expect(try version("cat; echo \"$HOME$USER\"; echo \"$LC_ALL\"").get() == "\nC")
    }

    @Test(arguments: [
        (nil, 0o755, HostError.Code.notFound), ("echo 1", 0o644, .notFound), ("echo 1", 0o775, .notPermitted),
        ("exit 3", 0o755, .other), ("sleep 60", 0o755, .limit), ("sleep 60 & echo 1", 0o755, .limit),
        ("exec >&-; sleep 60", 0o755, .limit), ("head -c 5000 /dev/zero; sleep 60", 0o755, .limit),
    ])
    func refuses(_ script: String?, _ mode: Int, _ code: HostError.Code) throws {
        let start = ContinuousClock.now
        let result = try version(script, mode: mode)
        #expect(throws: HostError.self) { try result.get() }
        if case .failure(let error) = result { #expect(error.code == code) }
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}

/// Whether this process may own files as root.
var isRoot: Bool {
    do {
        return try LiveHost().identity().effectiveUser == 0
    } catch {
        return false
    }
}

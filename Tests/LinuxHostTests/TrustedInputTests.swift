import Glibc
import HostAccess
import Testing

@testable import LinuxHost

/// Files that tell this process what to do as root.
@Suite(.enabled(if: isRoot)) struct TrustedInputTests {
    private func code(_ path: String, limit: Int = 100) -> HostError.Code? {
        do {
            _ = try TrustedInput.read(path, limit: limit)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func onlyAFileThatNobodyElseCanWriteIsRead() throws {
        try withDirectory { directory in
            let path = directory + "/plan"
            try OutputFile.write(Array("steps\n".utf8), to: path)
            #expect(try TrustedInput.read(path, limit: 6) == Array("steps\n".utf8))
            #expect(code(path, limit: 5) == .limit)
            #expect(code(directory + "/none") == .notFound)
            #expect(chmod(path, 0o666) == 0)
            #expect(code(path) == .notPermitted)
            #expect(chmod(path, 0o600) == 0 && chown(path, 65_534, 0) == 0)
            #expect(code(path) == .notPermitted)
        }
    }

    @Test func nothingButAFileIsRead() throws {
        try withDirectory { directory in
            try OutputFile.write([], to: directory + "/plan")
            #expect(symlink("plan", directory + "/link") == 0 && mkfifo(directory + "/pipe", 0o600) == 0)
            for name in ["link", "pipe", "."] { #expect(code("\(directory)/\(name)") == .malformed, "\(name)") }
        }
    }
}

import CLinux
import Glibc

/// Running the tools that load rules. posix_spawn(3).
enum Tool {
    /// Feeds text to a program; throws with what it printed where it fails.
    static func run(_ arguments: [String], input text: String) throws {
        let input = clinux_anonymous_file()
        let output = clinux_anonymous_file()
        guard input >= 0, output >= 0 else { throw OracleError("memfd_create failed") }
        defer {
            close(input)
            close(output)
        }
        let bytes = Array(text.utf8)
        guard Glibc.write(input, bytes, bytes.count) == bytes.count, lseek(input, 0, SEEK_SET) == 0 else {
            throw OracleError("memfd: errno \(errno)")
        }
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        let child = words.withUnsafeBufferPointer { pointer in
            pointer.baseAddress.map { clinux_lab_spawn($0, clinux_lab_environment(), nil, input, output) } ?? -1
        }
        guard child > 0 else { throw OracleError("cannot run \(arguments[0]): errno \(-child)") }
        var status: Int32 = 0
        guard clinux_lab_wait(child, 1, &status) == child else { throw OracleError("lost \(arguments[0])") }
        guard status == 0 else {
            var buffer = [UInt8](repeating: 0, count: 4000)
            let count = pread(output, &buffer, buffer.count, 0)
            throw OracleError(
                "\(arguments.joined(separator: " ")) (\(status)): \(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self))"
            )
        }
    }

    static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw OracleError("open \(path): errno \(errno)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw OracleError("write \(path): errno \(errno)")
        }
    }
}

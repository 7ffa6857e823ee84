internal import CLinux
internal import Glibc

/// The words of the last failed call.
func lastError() -> String { errorText(errno) }

func errorText(_ number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text)
}

/// mount(2). `refusedAs` names what a machine lacks that refuses it.
func mountFilesystem(
    _ source: String, on target: String, type: String?, flags: Int = 0, options: String? = nil, refusedAs: String
) throws(PracticeHostError) {
    guard mount(source, target, type, UInt(flags), options) == 0 else {
        let number = errno
        throw .refused("this machine refuses \(refusedAs): mount \(target): \(errorText(number))")
    }
}

/// A bind mount that cannot be written through.
func bindReadOnly(_ target: String, refusedAs: String) throws(PracticeHostError) {
    try mountFilesystem(target, on: target, type: nil, flags: MS_BIND, refusedAs: refusedAs)
    try mountFilesystem(
        "none", on: target, type: nil, flags: MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
        refusedAs: refusedAs)
}

/// Creates a directory and those above it; what exists stays as it is.
func makeDirectories(_ path: String, mode: mode_t = 0o755) throws(PracticeHostError) {
    var prefix = ""
    for component in path.split(separator: "/") {
        prefix += "/" + component
        if mkdir(prefix, mode) != 0 && errno != EEXIST {
            throw .failed("mkdir \(prefix): \(lastError())")
        }
    }
}

func fileExists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
}

func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Writes the whole file anew; the directories above it are made where they are missing.
func writeFile(_ path: String, _ text: String, mode: mode_t = 0o644) throws(PracticeHostError) {
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
        try makeDirectories(String(path[..<slash]))
    }
    // A link may point out of the way that is meant; the file takes its place.
    _ = unlink(path)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .failed("create \(path): \(lastError())") }
    defer { close(descriptor) }
    try writeAll(descriptor, text, to: path)
    guard fchmod(descriptor, mode) == 0 else { throw .failed("chmod \(path): \(lastError())") }
}

/// Writes to a file of the kernel, which exists already and takes one write.
func writeKernelFile(_ path: String, _ text: String) throws(PracticeHostError) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .failed("open \(path): \(lastError())") }
    defer { close(descriptor) }
    try writeAll(descriptor, text, to: path)
}

private func writeAll(_ descriptor: Int32, _ text: String, to path: String) throws(PracticeHostError) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw .failed("write \(path): \(lastError())") }
        bytes = bytes.dropFirst(written)
    }
}

/// The file's text up to `limit` bytes; nil where it cannot be read.
func readFile(_ path: String, limit: Int = 1 << 20) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return readDescriptor(descriptor, limit: limit)
}

/// Text from a descriptor until its end or `limit` bytes.
func readDescriptor(_ descriptor: Int32, limit: Int) -> String? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while bytes.count < limit {
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        if count < 0 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
        if count == 0 { break }
        bytes += buffer[..<count]
    }
    return String(decoding: bytes.prefix(limit), as: UTF8.self)
}

/// Names in a directory, without `.` and `..`; empty where it cannot be read.
func directoryEntries(_ path: String, limit: Int = 4096) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while names.count < limit, let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

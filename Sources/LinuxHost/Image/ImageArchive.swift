internal import Glibc
internal import HostAccess
internal import HostModel

/// An archive whose sum was found right, open at its beginning.
struct ImageArchive: ~Copyable {
    let file: Descriptor
    let size: Int
    /// tar's option for how it is packed; nil: it is not.
    let packing: String?

    /// A file of root's: nobody else can change it between the sum and the unpacking.
    static func local(_ order: ImageRestoration, _ host: LiveHost) throws(HostError) -> ImageArchive {
        let operation = "read \(order.source.location)"
        let place = try TrustedDirectory(of: order.source.location, operation: operation)
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let file = try Descriptor(
            openat(place.descriptor.rawValue, place.name, flags).orErrno, operation: operation)
        return try checked(file, order, host, operation)
    }

    /// Throws `malformed` where the sum is another one, or where it is no file of root's alone.
    static func checked(
        _ file: consuming Descriptor, _ order: ImageRestoration, _ host: LiveHost, _ operation: String
    ) throws(HostError) -> ImageArchive {
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.isRegular, facts.belongsOnly(to: [0]) else {
            throw HostError(
                .notPermitted, operation: operation, message: "it is not a file that only root can write to")
        }
        let size = Int(facts.st_size)
        let sum = try sum(file.rawValue, size, order.source.checksum.algorithm, host)
        guard sum == order.source.checksum.sum else {
            throw HostError(
                .malformed, operation: operation,
                message: "its \(order.source.checksum.algorithm.rawValue) is \(sum), and the profile wants "
                    + "\(order.source.checksum.sum); nothing was unpacked")
        }
        let packing = try packing(file.rawValue, operation)
        return ImageArchive(file: file, size: size, packing: packing)
    }

    /// coreutils reads it by the same descriptor, so its place in the file is how far it has come.
    private static func sum(
        _ file: Int32, _ size: Int, _ algorithm: ImageChecksum.Algorithm, _ host: LiveHost
    ) throws(HostError) -> String {
        let name = "\(algorithm.rawValue)sum"
        guard lseek(file, 0, SEEK_SET) == 0 else { throw HostError(errno: errno, operation: name) }
        let output = try CollectedOutput(name)
        let number = output.descriptor.rawValue
        let program = GuardedProgram(
            path: try host.trustedPath(of: name, in: LiveHost.programDirectories, name), command: [name], input: file,
            output: number, messages: number, confinement: .init(), milliseconds: 3_600_000)
        let status = try program.run { () throws(HostError) in
            host.progress(ChangeProgress(.checking, done: Int(lseek(file, 0, SEEK_CUR)), total: size))
        }
        let text = try output.text(limit: 4096, fails: false, name)
        guard status == 0, let sum = text.split(separator: " ").first else {
            throw HostError(.other, operation: name, message: "\(CollectedOutput.tail(text)) (status \(status))")
        }
        return String(sum)
    }

    /// By the first bytes: xz, gzip, zstd, bzip2. Source: magic(5).
    private static func packing(_ file: Int32, _ operation: String) throws(HostError) -> String? {
        var bytes = [UInt8](repeating: 0, count: 6)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count >= 0 else { throw HostError(errno: errno, operation: operation) }
        let known: [([UInt8], String)] = [
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "--xz"), ([0x1f, 0x8b], "--gzip"),
            ([0x28, 0xb5, 0x2f, 0xfd], "--zstd"), ([0x42, 0x5a, 0x68], "--bzip2"),
        ]
        return known.first { bytes[..<max(0, count)].starts(with: $0.0) }?.1
    }
}

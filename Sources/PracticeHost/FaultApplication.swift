internal import Glibc
internal import HostAccess

/// Brings faults about, inside a practice host and nowhere else.
struct FaultApplication: Sendable {
    var network: PracticeNetwork
    var backend: PracticeBackend

    func apply(_ steps: [FaultStep]) throws(PracticeHostError) {
        // Process 1 with the mark of a practice host in front of it cannot be a machine's own init.
        guard getpid() == 1, fileExists(HostIdentity.practiceHostMark) else {
            throw .failed("faults are made on practice hosts only")
        }
        for step in steps {
            try apply(step)
        }
    }

    private func apply(_ step: FaultStep) throws(PracticeHostError) {
        switch step {
        case .run(let words):
            try runOrFail(words.map(fill))
        case .attempt(let words):
            _ = try run(words.map(fill))
        case .nft(let text):
            try runOrFail(["nft", "-f", "-"], input: fill(text) + "\n")
        case .write(let path, let text):
            try writeFile(fill(path), fill(text), mode: text.hasPrefix("#!") ? 0o755 : 0o644)
        case .remove(let path):
            guard unlink(fill(path)) == 0 || errno == ENOENT else {
                throw .failed("unlink \(fill(path)): \(lastError())")
            }
        case .link(let path, let target):
            _ = unlink(fill(path))
            if let slash = path.lastIndex(of: "/") { try makeDirectories(fill(String(path[..<slash]))) }
            guard symlink(fill(target), fill(path)) == 0 else {
                throw .failed("symlink \(fill(path)): \(lastError())")
            }
        case .sysctl(let key, let value):
            try writeKernelFile("/proc/sys/" + fill(key), value + "\n")
        case .only(let backends, let steps):
            if backends.contains(backend) { try apply(steps) }
        }
    }

    private func fill(_ text: String) -> String {
        network.fill(text == Self.lxcNet ? Self.script : text)
    }

    /// Stands for the path of lxc-net's script, which distributions keep in different places.
    static let lxcNet = "lxc-net-script"
    private static var script: String {
        do { return try HealthyHost.lxcNetScript() } catch { return lxcNet }
    }
}

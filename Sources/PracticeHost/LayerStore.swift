internal import Glibc
internal import HostAccess
internal import LinuxHost

/// Where the built layers lie when nothing else is said: `LXC_DOCTOR_LAYERS`, else the system's cache.
package func defaultLayerDirectory() -> String {
    let named = Console.environment("LXC_DOCTOR_LAYERS") ?? ""
    return named.isEmpty ? "/var/cache/lxc-doctor/layers" : named
}

/// The directory of layer images. What lies in it is mounted and run as root, so only root may write there.
struct LayerStore: Sendable {
    var directory: String

    func imagePath(_ layer: Layer) -> String { "\(directory)/\(layer.name).squashfs" }
    private func stampPath(_ layer: Layer) -> String { "\(directory)/\(layer.name).stamp" }

    /// Opens the images of the layers and of what they stand on, topmost first.
    func open(_ names: [String]) throws(PracticeHostError) -> [Int32] {
        let layers = try Self.closure(names)
        guard fileExists(directory) else { throw Self.notBuilt(layers.map(\.name), directory) }
        try requireRootOwned(directory)
        var descriptors: [Int32] = []
        do throws(PracticeHostError) {
            for layer in layers.reversed() { descriptors.append(try open(layer)) }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
        return descriptors
    }

    private func open(_ layer: Layer) throws(PracticeHostError) -> Int32 {
        let path = imagePath(layer)
        guard fileExists(path), stamp(of: layer)?.recipe == recipe(of: layer) else {
            throw Self.notBuilt([layer.name], directory)
        }
        try requireRootOwned(path)
        let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .failed("open \(path): \(lastError())") }
        return descriptor
    }

    private static func notBuilt(_ names: [String], _ directory: String) -> PracticeHostError {
        .refused(
            "no current layer \(names.joined(separator: ", ")) in \(directory): "
                + "run `lxc-doctor lab layers` once, with access to the package archive")
    }

    /// The layers with those below them, in the order of the table: what is stood upon comes first.
    static func closure(_ names: [String]) throws(PracticeHostError) -> [Layer] {
        var wanted: Set<String> = []
        var open = names
        while let name = open.popLast() {
            let layer = try Layer.named(name)
            if wanted.insert(name).inserted { open += layer.over }
        }
        return Layer.all.filter { wanted.contains($0.name) }
    }

    private func requireRootOwned(_ path: String) throws(PracticeHostError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .failed("stat \(path): \(lastError())") }
        guard SoleOwner.isOne(owner: Int(status.st_uid), mode: Int(status.st_mode)),
            status.st_mode & S_IFMT != S_IFLNK
        else {
            throw PracticeHostError(
                exitCode: 65, "\(path) must belong to root, be writable by nobody else, and be no link")
        }
    }

    /// Two lines beside an image: what it was built by, and on which state of the machine's packages.
    private struct Stamp: Hashable {
        var recipe: String
        var packages: String
    }

    private func stamp(of layer: Layer) -> Stamp? {
        guard let text = readFile(stampPath(layer), limit: 4096) else { return nil }
        let lines = text.split(separator: "\n").map(String.init)
        return lines.count == 2 ? Stamp(recipe: lines[0], packages: lines[1]) : nil
    }

    private func recipe(of layer: Layer) -> String {
        let release = (readFile("/etc/os-release") ?? "").split(separator: "\n").first { $0.hasPrefix("VERSION_ID=") }
        return "\(layer.recipe) on \(release ?? "unknown")"
    }

    /// The package database of the machine: a layer holds a copy of it as of its building.
    private func packageState() -> String {
        var status = stat()
        guard stat("/var/lib/dpkg/status", &status) == 0 else { return "none" }
        return "\(status.st_size) \(status.st_mtim.tv_sec)"
    }

    func isCurrent(_ layer: Layer) -> Bool {
        fileExists(imagePath(layer)) && stamp(of: layer) == Stamp(recipe: recipe(of: layer), packages: packageState())
    }

    /// Puts a newly built image in its place.
    func adopt(_ image: String, as layer: Layer) throws(PracticeHostError) {
        guard unlink(stampPath(layer)) == 0 || errno == ENOENT else {
            throw .failed("unlink \(stampPath(layer)): \(lastError())")
        }
        guard rename(image, imagePath(layer)) == 0 else { throw .failed("rename \(image): \(lastError())") }
        try writeFile(stampPath(layer), "\(recipe(of: layer))\n\(packageState())\n")
    }

    /// Holds the directory for one builder until the descriptor is closed.
    func lock() throws(PracticeHostError) -> Int32 {
        try makeDirectories(directory)
        try requireRootOwned(directory)
        let path = directory + "/.lock"
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .failed("open \(path): \(lastError())") }
        guard flock(descriptor, LOCK_EX) == 0 else {
            close(descriptor)
            throw .failed("lock \(path): \(lastError())")
        }
        return descriptor
    }
}

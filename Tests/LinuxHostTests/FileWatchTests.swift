import Glibc
import HostAccess
import Testing

@testable import LinuxHost

/// Files and directories, in a directory of this test alone: what is told of, and what is not.
@Suite struct FileWatchTests {
    private let folder: String
    private let watch: FileWatch

    init() throws {
        var template = Array("/tmp/file-watch-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HostError(errno: errno, operation: "mkdtemp") }
        folder = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        watch = try FileWatch()
    }

    private func write(_ name: String, _ text: String = "x") throws {
        let file = open("\(folder)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { throw HostError(errno: errno, operation: "write \(name)") }
        _ = Glibc.write(file, text, text.utf8.count)
        close(file)
    }

    private func path(_ name: String) -> HostPath { HostPath("\(folder)/\(name)") }

    /// What was told, without the folder.
    private func told() throws -> Set<String> {
        let changes = try watch.read()
        #expect(!changes.areIncomplete)
        return Set(changes.files.map { String($0.path.dropFirst(folder.count + 1)) })
    }

    @Test func aFileThatIsWrittenReplacedOrRemoved() throws {
        defer { _ = system("rm -rf \(folder)") }
        for name in ["a", "b"] { try write(name) }
        #expect(watch.watch([path("a"), path("b")]) == [path("a"), path("b")])
        #expect(try told().isEmpty)
        try write("a")
        #expect(try told() == ["a"])
        try write("new")
        #expect(try told().isEmpty)
        #expect(rename("\(folder)/new", "\(folder)/b") == 0)
        #expect(try told() == ["b"])
        #expect(chmod("\(folder)/a", 0o600) == 0)
        #expect(try told() == ["a"])
        #expect(unlink("\(folder)/a") == 0)
        #expect(try told() == ["a"])
        try write("a")
        #expect(try told() == ["a"])
        #expect(watch.unwatched.isEmpty)
    }

    @Test func aMissingFileIsWatchedByItsNearestDirectory() throws {
        defer { _ = system("rm -rf \(folder)") }
        _ = watch.watch([path("one/two/file")])
        #expect(mkdir("\(folder)/one", 0o755) == 0)
        #expect(try told() == ["one/two/file"])
        #expect(mkdir("\(folder)/one/two", 0o755) == 0)
        #expect(try told() == ["one/two/file"])
        try write("one/two/file")
        #expect(try told() == ["one/two/file"])
        // And gone again, with everything above it.
        #expect(system("rm -rf \(folder)/one") == 0)
        #expect(try told() == ["one/two/file"])
        #expect(system("mkdir -p \(folder)/one/two") == 0)
        #expect(try told() == ["one/two/file"])
        try write("one/two/file")
        #expect(try told() == ["one/two/file"])
    }

    @Test func aListingChangesOnlyWithItsNames() throws {
        defer { _ = system("rm -rf \(folder)") }
        #expect(mkdir("\(folder)/d", 0o755) == 0)
        let listing = HostPath("\(folder)/d", isListing: true)
        _ = watch.watch([path("d")])
        try write("d/name")
        #expect(try told().isEmpty)
        _ = watch.watch([path("d"), listing])
        try write("d/other")
        #expect(try watch.read().files == [listing])
    }

    @Test func aLinkIsFollowedToItsTarget() throws {
        defer { _ = system("rm -rf \(folder)") }
        #expect(mkdir("\(folder)/d", 0o755) == 0)
        try write("d/target")
        #expect(symlink("d/target", "\(folder)/link") == 0)
        _ = watch.watch([path("link")])
        try write("d/target", "other")
        #expect(try told() == ["link"])
        #expect(unlink("\(folder)/link") == 0 && symlink("d", "\(folder)/link") == 0)
        #expect(try told() == ["link"])
    }

    /// Inside a root, where links are the root's own, and cannot lead out of it.
    @Test func aFileInsideARootIsWatched() throws {
        defer { _ = system("rm -rf \(folder)") }
        #expect(system("mkdir -p \(folder)/root/etc \(folder)/outside; ln -s /etc \(folder)/root/conf") == 0)
        #expect(system("ln -s ../outside \(folder)/root/out") == 0)
        let inside = HostPath("/conf/file", root: "\(folder)/root")
        let outside = HostPath("/out/file", root: "\(folder)/root")
        _ = watch.watch([inside, outside])
        try write("root/etc/file")
        #expect(try watch.read().files == [inside])
        try write("outside/file")
        #expect(try watch.read().files.isEmpty)
    }

    @Test func changesOfUnwatchedFilesAreNotReported() throws {
        defer { _ = system("rm -rf \(folder)") }
        for name in ["a", "b"] { try write(name) }
        _ = watch.watch([path("a"), path("b")])
        #expect(watch.watch([path("b")]).isEmpty)
        try write("a")
        #expect(try told().isEmpty)
        try write("b")
        #expect(try told() == ["b"])
    }
}

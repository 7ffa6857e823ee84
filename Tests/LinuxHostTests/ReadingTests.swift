import FoundationEssentials
import Glibc
import HostAccess
import HostModel
import Testing
import WireFormats

@testable import LinuxHost

/// Reading this machine, and files in a directory of the test's own.
@Suite struct ReadingTests {
    let host = LiveHost()

    private func code(_ body: () throws(HostError) -> Void) -> HostError.Code? {
        do {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func readsProcfsToItsEnd() throws {
        #expect(try host.readText("/proc/sys/kernel/ostype") == "Linux\n")
        // Longer than the first read.
        #expect(try host.read("/proc/kallsyms", limit: 64 << 20).count > 100_000)
    }

    @Test func boundsWhatItReads() throws {
        try withDirectory { directory in
            try Data(repeating: 65, count: 10).write(to: URL(filePath: directory + "/file"))
            #expect(try host.read(directory + "/file", limit: 10).count == 10)
            #expect(code { () throws(HostError) in _ = try host.read(directory + "/file", limit: 9) } == .limit)
            #expect(code { () throws(HostError) in _ = try host.read("/proc/kallsyms", limit: 5_000) } == .limit)
            #expect(code { () throws(HostError) in _ = try host.list(directory, limit: 0) } == .limit)
        }
    }

    /// The file is read piece by piece: the paragraph may lie across the end of one, and so may a line that is like it.
    @Test(arguments: [0, 65_480, 65_500, 65_519, 65_523, 65_524, 65_525, 65_536, 65_550, 200_000])
    func readsOneParagraph(before: Int) throws {
        try withDirectory { directory in
            let filler = "Package: a\n" + String(repeating: "x", count: before) + "\n\n"
            let text = filler + "Package: lxcfs\nVersion: 1\n\nPackage: lxc\nVersion: 2\n\nPackage: b\n" + filler
            let path = directory + "/status"
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect(try host.paragraph(with: "Package: lxc", in: path) == Array("Package: lxc\nVersion: 2\n".utf8))
            #expect(try host.paragraph(with: "Package: c", in: path).isEmpty)
            #expect(code { () throws(HostError) in _ = try host.paragraph(with: "x", in: path, limit: 20) } == .limit)
            // The last one, whatever ends it.
            try Data((filler + "Package: lxc\nVersion: 3").utf8).write(to: URL(filePath: path))
            #expect(try host.paragraph(with: "Package: lxc", in: path) == Array("Package: lxc\nVersion: 3".utf8))
        }
        #expect(code { () throws(HostError) in _ = try host.paragraph(with: "x", in: "/etc") } == .malformed)
        #expect(code { () throws(HostError) in _ = try host.paragraph(with: "x", in: "/nowhere") } == .notFound)
    }

    @Test func refusesWhatIsNotAFile() throws {
        #expect(code { () throws(HostError) in _ = try host.read("/dev/zero") } == .malformed)
        #expect(code { () throws(HostError) in _ = try host.read("/etc") } == .malformed)
        #expect(code { () throws(HostError) in _ = try host.read("/nowhere/at/all") } == .notFound)
    }

    @Test func listsInByteOrder() throws {
        try withDirectory { directory in
            for name in ["b", "a", "É", "B", ".x"] {
                try Data().write(to: URL(filePath: directory + "/" + name))
            }
            #expect(try host.list(directory) == [".x", "B", "a", "b", "É"])
            #expect(try host.listIfPresent(directory + "/none") == [])
        }
    }

    @Test func describesLinksAndFiles() throws {
        try withDirectory { directory in
            try Data([1, 2, 3]).write(to: URL(filePath: directory + "/file"))
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "file")
            let link = try host.status(directory + "/link", followLinks: false)
            #expect(link.kind == .link && link.target == "file")
            let file = try host.status(directory + "/link")
            #expect(file.kind == .file && file.size == 3 && file.target == nil)
            #expect(try host.status(directory).kind == .directory)
            #expect(try host.status("/dev/null").kind == .other)
        }
    }

    /// A container's files cannot lead outside of its root.
    @Test func staysInsideARoot() throws {
        try withDirectory { directory in
            let root = directory + "/root"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
            try Data("secret".utf8).write(to: URL(filePath: directory + "/outside"))
            try Data("own".utf8).write(to: URL(filePath: root + "/outside"))
            for (name, target) in [("up", "../outside"), ("absolute", "/outside"), ("status", "/proc/self/status")] {
                try FileManager.default.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
            }
            #expect(try host.readText("up", root: root) == "own")
            #expect(try host.readText("/absolute", root: root) == "own")
            #expect(try host.readText("../../outside", root: root) == "own")
            #expect(try host.status("up", root: root).size == 3)
            #expect(try host.status("up", root: root, followLinks: false).target == "../outside")
            #expect(try host.list("/", root: root) == ["absolute", "outside", "status", "up"])
            #expect(code { () throws(HostError) in _ = try host.read("status", root: root) } == .notFound)
            #expect(code { () throws(HostError) in _ = try host.read("/dev/null", root: "/") } == .malformed)
            #expect(code { () throws(HostError) in _ = try host.read("/proc/self/exe", root: "/") } != nil)
        }
    }

    @Test func measuresSpace() throws {
        let space = try host.space("/")
        #expect(space.totalBytes > 0 && space.freeBytes <= space.totalBytes)
        #expect(try host.space("/proc").freeInodes == nil)
    }

    @Test func readsTheIdentityOfTheProcess() throws {
        let identity = try host.identity()
        #expect(!identity.hostname.isEmpty && identity.kernel.contains("."))
        #expect(identity.effectiveUser == Int(geteuid()))
    }

    @Test func dumpsLinks() throws {
        let links = try Link.all(in: try host.query(.links()))
        #expect(links.contains { $0.name == "lo" && $0.isLoopback && $0.index == 1 })
        let single = try Link.all(in: try host.query(.link(name: "lo")))
        #expect(single.map(\.name) == ["lo"])
        #expect(code { () throws(HostError) in _ = try host.query(.link(name: "nowhere0")) } == .notFound)
        // The socket is still good after an error.
        #expect(try host.query(.links()).count == links.count)
        #expect(try !host.query(.rules()).isEmpty)
        _ = try host.query(.neighbours(.bridge))
        _ = try Route.all(in: try host.query(.routes()))
    }

    @Test func refusesALegacyTableThatIsNotThere() {
        let table = LegacyTableName(family: .ipv4, table: "no-such")
        let result = code { () throws(HostError) in _ = try host.legacyTable(table) }
        #expect(result == .notFound || result == .notPermitted)
    }

    @Test func boundsADumpInBytes() throws {
        var socket = try NetlinkSocket(.route)
        socket.bounds.bytes = 100
        do {
            _ = try socket.request(.links())
            Issue.record("a dump above the bound was read")
        } catch {
            #expect(error.code == .limit)
        }
        let isSpoiled = socket.isSpoiled
        #expect(isSpoiled)
    }
}

/// Runs with a directory of its own, which is gone afterwards.
func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = "/tmp/lxc-doctor-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try body(directory)
}

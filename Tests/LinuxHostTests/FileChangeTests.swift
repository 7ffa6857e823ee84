import FoundationEssentials
import HostAccess
import HostModel
import Testing

@testable import LinuxHost

/// Changes of files, in a directory of the test's own. They need root, as files that are changed must be root's.
@Suite(.enabled(if: isRoot)) struct FileChangeTests {
    let host = LiveHost()

    private func code(_ change: Change) -> HostError.Code? {
        do {
            try host.apply(change)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(arguments: [true, false]) func createsReplacesAndRemoves(_ hasNamelessFiles: Bool) throws {
        let host = LiveHost(hasNamelessFiles: hasNamelessFiles)
        try withDirectory { directory in
            let path = directory + "/file"
            let one = FileContent(bytes: ByteString("one\n"), mode: 0o640)
            let two = FileContent(bytes: ByteString("two\n"), mode: 0o755, group: 4)
            let create = Change.file(path: path, before: nil, after: one)
            try host.apply(create)
            #expect(try host.readText(path) == "one\n")
            #expect(try host.status(path).mode == 0o640)
            // Again: it is there already.
            try host.apply(create)
            let replace = Change.file(path: path, before: one, after: two)
            try host.apply(replace)
            let status = try host.status(path)
            #expect(status.mode == 0o755 && status.group == 4 && status.owner == 0)
            #expect(try host.list(directory) == ["file"])
            #expect(throws: HostError.self) { try host.apply(.file(path: path, before: nil, after: one)) }
            try host.apply(replace.inverse)
            #expect(try host.readText(path) == "one\n")
            try host.apply(create.inverse)
            #expect(try host.list(directory) == [])
            try host.apply(create.inverse)
        }
    }

    @Test func refusesAStaleFile() throws {
        try withDirectory { directory in
            let path = directory + "/file"
            let one = FileContent(bytes: ByteString("one\n"))
            let two = FileContent(bytes: ByteString("two\n"))
            let other = FileContent(bytes: ByteString("other\n"))
            #expect(code(.file(path: path, before: one, after: two)) == .stale)
            try host.apply(.file(path: path, before: nil, after: other))
            #expect(code(.file(path: path, before: one, after: two)) == .stale)
            #expect(code(.file(path: path, before: nil, after: two)) == .stale)
            #expect(code(.file(path: path, before: one, after: nil)) == .stale)
            var mode = other
            mode.mode = 0o600
            #expect(code(.file(path: path, before: mode, after: two)) == .stale)
            #expect(try host.readText(path) == "other\n")
            #expect(try host.list(directory) == ["file"])
        }
    }

    @Test func refusesLinksForeignFilesAndOpenDirectories() throws {
        try withDirectory { directory in
            let manager = FileManager.default
            let content = FileContent(bytes: ByteString("x"))
            try manager.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "target")
            #expect(code(.file(path: directory + "/link", before: nil, after: content)) == .malformed)
            #expect(code(.file(path: directory + "/link", before: nil, after: nil)) == .malformed)
            try manager.createDirectory(atPath: directory + "/sub", withIntermediateDirectories: false)
            #expect(code(.file(path: directory + "/sub", before: nil, after: content)) == .malformed)
            // Its directory is /tmp, where everybody may write.
            #expect(code(.file(path: directory, before: nil, after: content)) == .notPermitted)
            try Data("x".utf8).write(to: URL(filePath: directory + "/foreign"))
            try manager.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: directory + "/foreign")
            #expect(code(.file(path: directory + "/foreign", before: content, after: nil)) == .notPermitted)
            try Data("x".utf8).write(to: URL(filePath: directory + "/twice"))
            try manager.linkItem(atPath: directory + "/twice", toPath: directory + "/second")
            #expect(code(.file(path: directory + "/twice", before: content, after: nil)) == .notPermitted)
            for mode in [0o777, 0o1777] {
                try manager.setAttributes([.posixPermissions: mode], ofItemAtPath: directory)
                #expect(code(.file(path: directory + "/new", before: nil, after: content)) == .notPermitted)
            }
            #expect(code(.file(path: directory + "/none/new", before: nil, after: content)) == .notFound)
        }
    }

    @Test(arguments: ["file", "/", "/etc/../etc/x", "/etc//x", "/etc/", "/etc/./x", "", "/a\0b"])
    func refusesPathsThatAreNotPlain(_ path: String) {
        #expect(code(.file(path: path, before: nil, after: FileContent(bytes: ByteString("x")))) == .malformed)
        #expect(code(.symbolicLink(path: path, before: nil, after: "x")) == .malformed)
    }

    @Test func changesSymbolicLinks() throws {
        try withDirectory { directory in
            let path = directory + "/unit"
            let create = Change.symbolicLink(path: path, before: nil, after: "/lib/a")
            try host.apply(create)
            try host.apply(create)
            #expect(try host.status(path, followLinks: false).target == "/lib/a")
            #expect(code(.symbolicLink(path: path, before: "/lib/x", after: "/lib/b")) == .stale)
            #expect(code(.symbolicLink(path: path, before: nil, after: "/lib/b")) == .stale)
            try host.apply(.symbolicLink(path: path, before: "/lib/a", after: "/lib/b"))
            #expect(try host.status(path, followLinks: false).target == "/lib/b")
            try host.apply(.symbolicLink(path: path, before: "/lib/b", after: nil))
            try host.apply(.symbolicLink(path: path, before: "/lib/b", after: nil))
            try Data().write(to: URL(filePath: path))
            #expect(code(.symbolicLink(path: path, before: nil, after: "/lib/b")) == .malformed)
        }
    }

    @Test(arguments: ["kernel.panic", "vm.swappiness", "net", "net.ipv4/../../kernel.panic", ""])
    func changesNoOtherParameters(_ key: String) {
        #expect(code(.setSysctl(key: key, from: "0", to: "1")) == .notPermitted)
    }
}

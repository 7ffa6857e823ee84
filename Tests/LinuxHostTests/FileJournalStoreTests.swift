import Foundation
import HostAccess
import Testing

@testable import LinuxHost

@Suite("Journals as files")
struct FileJournalStoreTests {
    private let directory = FileManager.default.temporaryDirectory.path + "/lxc-doctor-journal-\(UUID().uuidString)"

    private func withStore(_ body: (FileJournalStore) throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(FileJournalStore(directory: directory + "/a/journal", lockPath: directory + "/run/fix.lock"))
    }

    @Test("are found again, oldest name first, and replaced as a whole")
    func roundTrip() throws {
        try withStore { store in
            #expect(try store.runs() == [])
            try store.save(Array("first".utf8), run: "20250102-1")
            try store.save(Array("older".utf8), run: "20250101-1")
            try store.save(Array("second, longer".utf8), run: "20250102-1")
            #expect(try store.runs() == ["20250101-1", "20250102-1"])
            #expect(try store.load("20250102-1") == Array("second, longer".utf8))
            let attributes = try FileManager.default.attributesOfItem(atPath: store.location(of: "20250101-1"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let folder = try FileManager.default.attributesOfItem(atPath: directory + "/a/journal")
            #expect(folder[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test("survive what a crash in the middle of a write left behind")
    func leftovers() throws {
        try withStore { store in
            try store.save([1], run: "a")
            _ = FileManager.default.createFile(
                atPath: directory + "/a/journal/.a.json.new", contents: Data([9, 9, 9]))
            #expect(try store.runs() == ["a"])
            try store.save([2], run: "a")
            #expect(try store.load("a") == [2])
        }
    }

    @Test("do not leave their directory", arguments: ["", "..", "../x", "a/b", ".hidden", "a b"])
    func names(_ run: String) throws {
        try withStore { store in
            #expect(throws: HostError.self) { try store.save([1], run: run) }
            #expect(throws: HostError.self) { try store.load(run) }
        }
    }

    @Test("refuse a directory or a file that others may write to")
    func distrust() throws {
        try withStore { store in
            try store.save([1], run: "a")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o666], ofItemAtPath: store.location(of: "a"))
            #expect(throws: HostError.self) { try store.load("a") }
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: directory + "/a/journal")
            #expect(throws: HostError.self) { try store.save([1], run: "b") }
        }
    }

    @Test("let one repair run at a time")
    func lock() throws {
        try withStore { store in
            let other = FileJournalStore(directory: directory + "/b", lockPath: directory + "/run/fix.lock")
            try store.lock()
            try store.lock()
            #expect(throws: HostError.self) { try other.lock() }
            store.unlock()
            try other.lock()
        }
    }

    /// What a process that died had started holds the lock until it has ended.
    @Test("wait for what a dead repair left running, and for nobody else")
    func lockOfTheDead() throws {
        try withStore { store in
            try store.lock()
            store.unlock()
            let lockPath = directory + "/run/fix.lock"
            let orphan = open(lockPath, O_RDWR)
            #expect(flock(orphan, LOCK_EX | LOCK_NB) == 0)
            // This process took it last, and lives.
            #expect(throws: HostError.self) { try store.lock() }
            // Above every number that the kernel gives (PID_MAX_LIMIT).
            try Data("99999999\n".utf8).write(to: URL(fileURLWithPath: lockPath))
            let start = Console.monotonicNanoseconds()
            let end = Thread {
                usleep(300_000); close(orphan)
            }
            end.start()
            try store.lock()
            #expect(Console.monotonicNanoseconds() - start >= 250_000_000)
        }
    }
}

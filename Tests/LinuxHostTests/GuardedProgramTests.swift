import Foundation
import HostAccess
import Testing

@testable import LinuxHost

/// Programs that are confined: what they may not do is refused by the kernel, whoever they are.
@Suite(.serialized, .enabled(if: geteuid() == 0)) struct GuardedProgramTests {
    private func run(
        _ script: String, _ confinement: GuardedProgram.Confinement?, input: Int32? = nil, milliseconds: Int = 10_000
    ) throws -> (status: Int32, text: String) {
        let output = try CollectedOutput("test")
        let number = output.descriptor.rawValue
        let program = GuardedProgram(
            path: "/bin/sh", command: ["sh", "-c", script], input: input, output: number, messages: number,
            confinement: confinement, milliseconds: milliseconds)
        let status = try program.run()
        return (status, try output.text(limit: 4096, fails: false, "test"))
    }

    private func folder(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("confined-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer {
            do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
        }
        try body(path)
    }

    @Test func writesNowhereButWhereItMay() throws {
        try folder { path in
            try folder { other in
                let script = """
                    echo in > \(path)/file; echo out > \(other)/file; ln -s \(other) \(path)/way; echo out > \(path)/way/file
                    mount --bind \(other) \(path) 2>/dev/null || echo REFUSED
                    """
                let ended = try run(script, .init(writable: path, capabilities: 1 << 1))
                #expect(ended.text.contains("REFUSED"))
                #expect(ended.text.contains("Read-only file system"))
                #expect(FileManager.default.contents(atPath: path + "/file") == Data("in\n".utf8))
                #expect(try FileManager.default.contentsOfDirectory(atPath: other) == [])
            }
            let none = try run("echo x > \(path)/none", .init())
            #expect(none.status != 0)
        }
    }

    @Test func hasNoNetworkUnlessItKeepsIt() throws {
        let links = "ls /proc/net/dev_snmp6 2>/dev/null; cat /proc/self/net/dev | tail -n +3 | wc -l"
        #expect(try run(links, .init()).text.split(separator: "\n").last == "1")
        let own = try run("readlink /proc/self/ns/net", nil).text
        #expect(try run("readlink /proc/self/ns/net", .init(keepsNetwork: true)).text == own)
        #expect(try run("readlink /proc/self/ns/net", .init()).text != own)
    }

    @Test func hasNoPrivilegesButThoseNamed() throws {
        let capabilities = "grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status"
        let ended = try run(capabilities, .init(capabilities: 1 << 0 | 1 << 3))
        let values = ended.text.split(separator: "\n").compactMap { $0.split(separator: "\t").last }
        #expect(values == Array(repeating: "0000000000000009", count: 3) + ["1"], "\(ended.text)")
    }

    @Test func filesEndAtTheirLimit() throws {
        try folder { path in
            let ended = try run(
                "head -c 5000000 /dev/zero > \(path)/big",
                .init(writable: path, capabilities: 1 << 1, fileSize: 1 << 20))
            #expect(ended.status != 0)
            let size = try FileManager.default.attributesOfItem(atPath: path + "/big")[.size] as? Int
            #expect(size == 1 << 20)
        }
    }

    @Test func readsFromADescriptorAndEndsInTime() throws {
        try folder { path in
            try Data("given\n".utf8).write(to: URL(fileURLWithPath: path + "/input"))
            let file = open(path + "/input", O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            #expect(try run("cat", .init(), input: file).text == "given\n")
            #expect(lseek(file, 0, SEEK_CUR) == 6)
            #expect(throws: HostError.self) { try run("sleep 60", .init(), milliseconds: 100) }
        }
    }
}

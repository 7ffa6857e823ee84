import HostAccess
import HostModel
import Testing

@testable import Probes

/// Containers that are not in the LXC path: how they are found, and what is not believed.
@Suite struct ContainersElsewhereTests {
    private static let head = "Num       RefCount Protocol Flags    Type St Inode Path\n"

    private static func line(_ path: String, flags: String = "00010000") -> String {
        "0000000000000000: 00000002 00000000 \(flags) 0001 01 12345 \(path)\n"
    }

    private static let config = "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\nlxc.net.0.hwaddr = 00:16:3e:00:00:07\n"

    private static func host(_ sockets: String...) -> FileTreeHost {
        FileTreeHost([
            "/proc/net/unix": head + sockets.joined(), "/var/lib/lxc/own/config": config,
            "/srv/lxc/web/config": config.replacing("00:07", with: "00:08"), "/srv/lxc/no-config/": "",
        ])
    }

    private func names(on host: FileTreeHost) throws -> [FactValue?] {
        let found = try facts(ContainersProbe(), ["path": "/var/lib/lxc"], on: host)
        return [found["names"], found["elsewhere"], found["count"]]
    }

    @Test func aListeningMonitorTellsOfItsContainer() throws {
        let host = Self.host(
            Self.line("@/var/lib/lxc/own/command"), Self.line("@/srv/lxc/web/command"), Self.line("/run/dbus/socket"))
        #expect(
            try names(on: host) == [.strings(["own", "/srv/lxc/web"]), .strings(["/srv/lxc/web"]), .integer(2)])
        let found = try facts(
            ContainerConfigProbe(), ["path": "/var/lib/lxc", "container": "/srv/lxc/web"], on: host)
        #expect(found["links"] == .strings(["lxcbr1"]))
    }

    /// Anybody may open sockets by any name.
    @Test(arguments: [
        "@/srv/lxc/../lxc/web/command", "@/srv//lxc/web/command", "@srv/lxc/web/command", "@/web/command",
        "@/srv/lxc/no-config/command", "@/srv/lxc/web/commands", "/srv/lxc/web/command", "@/command",
        "@/srv/lxc/./web/command",
    ])
    func whatIsNoContainerIsNotBelieved(socket: String) throws {
        #expect(try names(on: Self.host(Self.line(socket)))[1] == .strings([]), "\(socket)")
    }

    @Test func aSocketThatDoesNotListenIsNobodys() throws {
        let host = Self.host(Self.line("@/srv/lxc/web/command", flags: "00000000"))
        #expect(try names(on: host)[1] == .strings([]))
    }

    @Test func thereIsAnEndToIt() throws {
        let host = Self.host()
        var text = Self.head
        for number in 0..<300 {
            host.set("/srv/many/c\(number)/config", Self.config)
            text += Self.line("@/srv/many/c\(number)/command")
        }
        host.set("/proc/net/unix", text)
        guard case .strings(let elsewhere)? = try names(on: host)[1] else {
            Issue.record("no names")
            return
        }
        #expect(elsewhere.count == 64)
    }

    @Test func usersMayHaveContainersOfTheirOwn() throws {
        let host = Self.host()
        host.set(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:,,,:/home/alice:/bin/sh\nbob:x:1001:1001\n")
        host.set("/etc/lxc/lxc-usernet", "# USER TYPE BRIDGE COUNT\nalice\tveth lxcbr1 10\nbob veth lxcbr1 1\n")
        host.set("/home/alice/.local/share/lxc/app/config", Self.config)
        host.set("/home/carol/.local/share/lxc/app/config", Self.config)
        #expect(try names(on: host)[1] == .strings(["/home/alice/.local/share/lxc/app"]))
    }

    @Test func doublesAreFoundAcrossPaths() throws {
        let host = Self.host(Self.line("@/srv/lxc/web/command"))
        var found = try facts(ContainerHardwareAddressesProbe(), ["path": "/var/lib/lxc"], on: host)
        #expect(found["duplicates"] == .strings([]))
        host.set("/srv/lxc/web/config", Self.config)
        found = try facts(ContainerHardwareAddressesProbe(), ["path": "/var/lib/lxc"], on: host)
        #expect(found["duplicates"] == .strings(["00:16:3e:00:00:07: own, /srv/lxc/web"]))
        host.set("/srv/lxc/web/config", Self.config + "lxc.net.0.ipv4.address = 10.5.0.9/16\n")
        host.set("/var/lib/lxc/own/config", Self.config + "lxc.net.0.ipv4.address = 10.5.0.9/16\n")
        found = try facts(ContainerTwinsProbe(), ["path": "/var/lib/lxc", "bridge": "lxcbr1"], on: host)
        #expect(found["addresses"] == .strings(["10.5.0.9: own, /srv/lxc/web"]))
    }
}

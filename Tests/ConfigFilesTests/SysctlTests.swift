import HostModel
import Testing

@testable import ConfigFiles

private func outcome(
    _ files: [(String, String)], main: String? = nil, tool: SysctlReplay.Tool = .systemd,
    key: SysctlKey = .ipForward
) -> SysctlReplay.Outcome {
    SysctlReplay(
        files: files.map { SysctlFile(path: $0.0, text: $0.1) },
        main: main.map { SysctlFile(path: "/etc/sysctl.conf", text: $0) }
    ).outcome(key, tool: tool)
}

@Test(
    arguments: [
        ("net.ipv4.ip_forward=1", "1"), ("net.ipv4.ip_forward = 1", "1"), ("  net.ipv4.ip_forward\t=\t1  ", "1"),
        ("-net.ipv4.ip_forward = 1", "1"), ("net/ipv4/ip_forward=1", "1"), ("net.ipv4.ip_forward=1\r", "1"),
        ("#net.ipv4.ip_forward=1", nil), (";net.ipv4.ip_forward=1", nil), ("net.ipv4.ip_forward", nil),
        ("-net.ipv4.ip_forward", nil), ("net.ipv4.conf.all.forwarding=1", "1"), ("net.ipv4.conf.*.forwarding=1", "1"),
        ("net.ipv4.conf.a?l.forwarding=1", "1"), ("net.ipv4.conf.[a-b]ll.forwarding=1", "1"),
        ("net.ipv4.conf.*.forwarding=1\n-net.ipv4.conf.all.forwarding", nil),
        ("net.ipv4.conf.*.forwarding=1\nnet.ipv4.conf.all.forwarding=0", "0"),
        ("net.ipv4.conf.all.forwarding=0\nnet.ipv4.conf.*.forwarding=1", "0"),
        ("net.ipv4.conf.default.forwarding=1", nil), ("net.ipv4.ip_forward=1\nnet.ipv4.ip_forward=0", "0"),
        ("net.ipv4.ip_forward=1\nnet.ipv4.conf.all.forwarding=0", "0"),
        ("net.ipv4.*=1", "1"), ("net.*=1", nil),
    ] as [(String, String?)])
func sysctlLines(text: String, wanted: String?) {
    #expect(outcome([("/etc/sysctl.d/x.conf", text)]).value == wanted)
}

@Test func systemdKeepsAnEqualSettingInItsPlace() {
    let text = "net.ipv4.ip_forward=1\nnet.ipv4.conf.all.forwarding=0\nnet.ipv4.ip_forward=1\n"
    #expect(outcome([("/x", text)]).value == "0")
    #expect(outcome([("/x", text)], tool: .procps).value == "1")
}

@Test func mainFileLosesAtBootAndWinsForProcps() {
    // /etc/sysctl.d/99-sysctl.conf is a link to /etc/sysctl.conf and sorts before 99_custom.conf.
    let order = SysctlReplay.order([("/etc/sysctl.d", ["99_custom.conf", "99-sysctl.conf", "README.sysctl"])])
    #expect(order == ["/etc/sysctl.d/99-sysctl.conf", "/etc/sysctl.d/99_custom.conf"])
    let off = "net.ipv4.ip_forward=0\n"
    let files = [(order[0], off), (order[1], "net.ipv4.ip_forward = 1\n")]
    let systemd = outcome(files, main: off)
    #expect(systemd.value == "1")
    #expect(systemd.decidedBy?.description == "/etc/sysctl.d/99_custom.conf:1")
    #expect(systemd.overridden.map(\.location.description) == ["/etc/sysctl.d/99-sysctl.conf:1"])
    let procps = outcome(files, main: off, tool: .procps)
    #expect(procps.value == "0")
    #expect(procps.decidedBy?.description == "/etc/sysctl.conf:1")
    // Without the link, as on Debian 13, only procps reads the main file.
    #expect(outcome([], main: "net.ipv4.ip_forward=1").value == nil)
    #expect(outcome([], main: "net.ipv4.ip_forward=1", tool: .procps).value == "1")
}

@Test func earlierDirectoriesHideNames() {
    let order = SysctlReplay.order([
        ("/etc/sysctl.d", ["50-a.conf", "z.conf"]), ("/run/sysctl.d", ["50-a.conf", "10-b.conf"]),
        ("/usr/lib/sysctl.d", ["z.conf", "90-c.conf", "A.conf"]),
    ])
    #expect(
        order == [
            "/run/sysctl.d/10-b.conf", "/etc/sysctl.d/50-a.conf", "/usr/lib/sysctl.d/90-c.conf",
            "/usr/lib/sysctl.d/A.conf", "/etc/sysctl.d/z.conf",
        ])
}

@Test(arguments: [
    ("net.ipv4.ip_forward=0\n", "net.ipv4.ip_forward=1\n"), ("x=1", "x=1\nnet.ipv4.ip_forward = 1"),
    ("net.ipv4.conf.all.forwarding = 0 \r\n# c\r\n", "net.ipv4.conf.all.forwarding = 1\r\n# c\r\n"),
    ("", "net.ipv4.ip_forward = 1\n"),
    ("#net.ipv4.ip_forward=1\n-net/ipv4/ip_forward=0\n", "#net.ipv4.ip_forward=1\n-net/ipv4/ip_forward=1\n"),
])
func sysctlEdits(before: String, after: String) throws {
    var file = SysctlFile(path: "/x", text: before)
    try file.set("net.ipv4.ip_forward", to: "1")
    #expect(String(decoding: file.bytes, as: UTF8.self) == after)
    #expect(outcome([("/x", after)]).value == "1")
}

@Test(arguments: [
    ("*a*a*a*a*a*a*a*a*b", false), ("a*", true), ("[!b]*", true), ("?", false), ("[", false), ("[]", false),
])
func wildcards(pattern: String, matches: Bool) {
    #expect(Wildcard.matches(pattern, String(repeating: "a", count: 2000)) == matches)
}

/// As the real programs leave it, tried by `PracticeHostTests`.
@Test(
    arguments: [
        ("net.ipv4.ip_forward=1", "1", "1"), ("net.ipv4.conf.m.forwarding=0\nnet.ipv4.ip_forward=1", "1", "1"),
        ("net.ipv4.ip_forward=1\nnet.ipv4.conf.m.forwarding=0", "0", "0"),
        // The same value once more leaves systemd-sysctl's in its old place; another one does not.
        ("net.ipv4.conf.m.forwarding=0\nnet.ipv4.ip_forward=1\nnet.ipv4.conf.m.forwarding=0", "1", "0"),
        ("net.ipv4.conf.m.forwarding=0\nnet.ipv4.ip_forward=1\nnet.ipv4.conf.m.forwarding=00", "00", "00"),
        // On already: nothing is opened.
        ("net.ipv4.ip_forward=1\nnet.ipv4.conf.m.forwarding=0\nnet.ipv4.conf.all.forwarding=1", "0", "0"),
        ("net.ipv4.ip_forward=1\nnet.ipv4.conf.?.forwarding=0\nnet.ipv4.ip_forward=1", "0", "0"),
        ("net.ipv4.conf.*.forwarding=0\nnet.ipv4.ip_forward=1", "1", "1"),
        ("net.ipv4.conf.n.forwarding=0", nil, nil),
    ] as [(String, String?, String?)])
func theWholeHostsSwitchSetsAnInterfacesOwn(text: String, systemd: String?, procps: String?) throws {
    let replay = SysctlReplay(files: [SysctlFile(path: "/x", text: text)], main: nil)
    let key = try #require(SysctlKey.ipv4(interface: "m", "forwarding"))
    #expect(replay.forwarding(of: key, under: .ipForward, tool: .systemd).value == systemd)
    #expect(replay.forwarding(of: key, under: .ipForward, tool: .procps).value == procps)
}

@Test func ipv6IsOpenedByEveryWriteOfItsSwitch() throws {
    let text = "net.ipv6.conf.all.forwarding=1\nnet.ipv6.conf.m.forwarding=0\n"
    let key = try #require(SysctlKey.ipv6(interface: "m", "forwarding"))
    let main = SysctlFile(path: "/etc/sysctl.conf", text: "net.ipv6.conf.all.forwarding = 1\n")
    let replay = SysctlReplay(files: [SysctlFile(path: "/x", text: text)], main: main)
    #expect(replay.forwarding(of: key, under: .ipv6Forwarding, tool: .systemd).isZero)
    #expect(replay.forwarding(of: key, under: .ipv6Forwarding, tool: .procps).decidedBy?.file == "/etc/sysctl.conf")
}

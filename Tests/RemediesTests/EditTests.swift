import Testing

@testable import Remedies

@Suite("Editing text")
struct EditTests {
    @Test(
        "keeps every byte", arguments: ["", "\n", "a", "a\n", "a\n\n", "\r\na\r\n", "a\nb", "\u{0}\n"])
    func lossless(_ text: String) {
        #expect(TextLines(Array(text.utf8)).bytes == Array(text.utf8))
    }

    @Test("keeps bytes that are not UTF-8")
    func notText() {
        var text = TextLines([0xff, 0x0a, 0x61])
        text.replace(1, with: ["b"])
        text.append("c")
        #expect(text.bytes == [0xff, 0x0a, 0x62, 0x0a, 0x63, 0x0a])
    }

    @Test(
        "says how a person would do it",
        arguments: [
            (nil, "a b\nc\n", "printf '%s\\n' 'a b' c > /f"), ("a\n", "a\nb\n", "printf '%s\\n' b >> /f"),
            ("a\nb\nc\n", "a\nx\nc\n", "sed -i '2c\\x' /f"), ("a\nb\nc\n", "a\nx\ny\nc\n", "sed -i '2c\\x\\ny' /f"),
            ("a\nb\nc\n", "a\nc\n", "sed -i 2d /f"), ("a\nb\n", "a\nx\nb\n", "sed -i '1a\\x' /f"),
        ] as [(String?, String, String)])
    func command(_ before: String?, _ after: String, _ command: String) {
        #expect(TextLines.command(from: before.map { Array($0.utf8) }, to: Array(after.utf8), path: "/f") == command)
    }

    @Test(
        "reads assignments as a shell does",
        arguments: [
            ("A=b", "A", "b", true), ("A=\"b c\" # why", "A", "b c", true), ("export A='b'", "A", "b", true),
            (" A=b", "A", "b", false), ("A=b; B=c", "A", "b", false), ("A=$B", "A", nil, true), ("A=", "A", "", true),
            ("A=\"b", "A", nil, false),
        ] as [(String, String, String?, Bool)])
    func assignment(_ text: String, _ name: String, _ value: String?, _ replaceable: Bool) throws {
        let assignment = try #require(ShellAssignment(text: text, line: 0))
        #expect(assignment.name == name && assignment.value == value && assignment.replaceable == replaceable)
    }

    @Test("finds no assignment where there is none", arguments: ["# A=b", "[ A = b ]", "1A=b", "", "A b=c", "=b"])
    func noAssignment(_ text: String) {
        #expect(ShellAssignment(text: text, line: 0) == nil)
    }

    @Test(
        "knows both spellings of a sysctl key",
        arguments: [
            ("net/ipv4/ip_forward", "net.ipv4.ip_forward"), ("-net.ipv4.ip_forward", "net.ipv4.ip_forward"),
            ("net.ipv4.conf.all.forwarding", "net.ipv4.ip_forward"),
            ("net/ipv4/conf/eth0.100/forwarding", "net.ipv4.conf.eth0/100.forwarding"),
        ])
    func sysctlKey(_ spelling: String, _ key: String) {
        #expect(SysctlName.canonical(spelling) == key)
    }

    @Test("finds the file of a key, and none outside of net")
    func sysctlPath() {
        #expect(
            SysctlName.path(SysctlName.forwarding(of: "eth0.100")) == "/proc/sys/net/ipv4/conf/eth0.100/forwarding")
        #expect(SysctlName.path("kernel.core_pattern") == nil)
        #expect(SysctlName.path("net.ipv4.conf.//.forwarding") == nil)
        #expect(SysctlName.path("net..x") == nil)
    }

    @Test(
        "quotes for the shell", arguments: [("lxcbr1", "lxcbr1"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'")])
    func quoting(_ word: String, _ quoted: String) {
        #expect(Shell.quote(word) == quoted)
    }
}

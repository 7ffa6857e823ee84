import Testing

@testable import Remedies

@Suite("Editing text")
struct EditTests {
    @Test(
        "says how a person would do it",
        arguments: [
            (nil, "", ": > /f"), (nil, "a b\nc\n", "printf '%s\\n' 'a b' c > /f"),
            ("a\n", "a\nb\n", "printf '%s\\n' b >> /f"),
            ("a\nb\nc\n", "a\nx\nc\n", "sed -i '2c\\x' /f"), ("a\nb\nc\n", "a\nx\ny\nc\n", "sed -i '2c\\x\\ny' /f"),
            ("a\nb\nc\n", "a\nc\n", "sed -i 2d /f"), ("a\nb\n", "a\nx\nb\n", "sed -i '1a\\x' /f"),
        ] as [(String?, String, String)])
    func command(_ before: String?, _ after: String, _ command: String) {
        #expect(EditCommand.text(from: before.map { Array($0.utf8) }, to: Array(after.utf8), path: "/f") == command)
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

import HostModel
import Testing

@testable import ConfigFiles

/// A small generator with a fixed seed: the same text in every run. Source: Vigna, SplitMix64.
private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

private let pieces: [[UInt8]] =
    [
        "A=1", "export B=\"x\"", "# comment", "net.ipv4.ip_forward = 1", "[Unit]", "After=a b",
        "lxc.net.0.link = lxcbr1",
        "iface lxcbr1 inet static", "  address 10.5.0.1", "*nat", "-A POSTROUTING -j MASQUERADE", "table ip nat {", "}",
        "network:", "  bridges:", "\t", "\\", "'", "\"", "${", "$(", "`", "if true; then", "fi", "", "=", "é", "lxc.",
        "lxc.include = /x", "chain x {", "source /etc/*", "{[]}", ";;", "&&", "||", "<<EOF", "env A=b", "auto x", "-k",
    ].map { Array($0.utf8) } + [[0xff, 0xfe], [0], [0x0d], [0xc3]]

private let newline: UInt8 = 0x0a

private func text(_ seed: UInt64) -> [UInt8] {
    var generator = Generator(state: seed)
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0..<30, using: &generator) {
        bytes += pieces.randomElement(using: &generator) ?? []
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: break
        case 1: bytes += [0x0d, newline]
        case 2: bytes += [0x20]
        default: bytes += [newline]
        }
    }
    return bytes
}

@Test(arguments: 0..<400 as Range<UInt64>) func everyDocumentKeepsEveryByte(seed: UInt64) {
    let bytes = text(seed)
    #expect(TextLines(bytes).bytes == bytes)
    for part in ["A", "=1", " ", ""] {
        let all = TextLines(bytes).numbered.filter { part.isEmpty || $0.text.range(ofText: part) != nil }
        let found = TextLines.numbered(bytes, containing: part)
        #expect(found.map(\.number) == all.map(\.number) && found.map(\.text) == all.map(\.text))
    }
    #expect(ShellSettings(path: "/x", bytes: bytes).bytes == bytes)
    #expect(SysctlFile(path: "/x", bytes: bytes).bytes == bytes)
    #expect(SectionFile(path: "/x", bytes: bytes).bytes == bytes)
    #expect(IfupdownFile(path: "/x", bytes: bytes).lines.bytes == bytes)
    #expect(NetplanFile(path: "/x", bytes: bytes).lines.bytes == bytes)
    #expect(IptablesRestoreFile(path: "/x", bytes: bytes).lines.bytes == bytes)
    #expect(NftablesConf(path: "/x", bytes: bytes).lines.bytes == bytes)
    // Reading never traps.
    _ = ShellSettings(path: "/x", bytes: bytes).evaluate()
    _ = SysctlFile(path: "/x", bytes: bytes).assignments
    _ = SectionFile(path: "/x", bytes: bytes).entries
    _ = NetplanFile(path: "/x", bytes: bytes).bridge("lxcbr1")
    _ = IptablesRestoreFile(path: "/x", bytes: bytes).translations
    _ = NftablesConf(path: "/x", bytes: bytes).translations
    _ = LXCConfig(path: "/x", bytes: bytes, refusesLegacyKeys: false)
    _ = InitScript(path: "/x", bytes: bytes).variables
    _ = PackageDatabase.dpkg("A", in: bytes)
}

@Test(arguments: 0..<400 as Range<UInt64>) func editsKeepEveryOtherLine(seed: UInt64) throws {
    let bytes = text(seed)
    var sysctl = SysctlFile(path: "/x", bytes: bytes)
    try sysctl.set("net.ipv4.ip_forward", to: "0")
    let before = TextLines(bytes)
    let after = sysctl.lines
    #expect(after.count == before.count || after.count == before.count + 1)
    #expect(zip(before.lines, after.lines).count { $0 != $1 } <= 1)
    if !bytes.isEmpty { #expect(after.endsWithNewline == before.endsWithNewline) }
    #expect(sysctl.assignments.last { $0.key == .ipForward }?.value == "0")

    var shell = ShellSettings(path: "/x", bytes: bytes)
    do {
        try shell.set("ZZ", to: "v")
        #expect(Array(shell.bytes.prefix(bytes.count)) == bytes)
    } catch {
        #expect(shell.bytes == bytes)
    }
}

@Test(arguments: [
    ("", 0, false), ("a", 1, false), ("a\n", 1, true), ("\n", 1, true), ("a\n\n", 2, true), ("a\r\nb", 2, false),
])
func lines(text: String, count: Int, ends: Bool) {
    let lines = TextLines(text)
    #expect(lines.count == count)
    #expect(lines.endsWithNewline == ends)
    #expect(lines.text == text)
}

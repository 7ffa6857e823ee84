import HostModel
import Testing

@testable import ConfigFiles

/// Files of network programs and of shorewall, edited without losing a line.
@Suite struct NetworkEditingTests {
    private let address = IPv4Prefix("10.5.0.1/16").unsafelyUnwrapped

    private func ifupdown(_ text: String) -> IfupdownFile { IfupdownFile(path: "interfaces", bytes: Array(text.utf8)) }

    @Test func ifupdownKeepsTheFormOfAnAddress() {
        let short = "# mine\niface br0 inet static\n\taddress 10.5.0.1/24 \n\tup true\niface br0 inet6 auto\n"
        #expect(
            ifupdown(short).setting(address, of: "br0")?.lines.text
                == short.replacing("address 10.5.0.1/24 ", with: "address 10.5.0.1/16"))
        let long = "iface br0 inet static\n    address 10.5.0.9\n    netmask 255.255.255.0\n"
        #expect(
            ifupdown(long).setting(address, of: "br0")?.lines.text
                == "iface br0 inet static\n    address 10.5.0.1\n    netmask 255.255.0.0\n")
        #expect(
            ifupdown(long.replacing("255.255.255.0", with: "24")).setting(address, of: "br0")?.lines.text
                == "iface br0 inet static\n    address 10.5.0.1\n    netmask 16\n")
        #expect(ifupdown("iface br0 inet dhcp\n").setting(address, of: "br0") == nil)
        #expect(ifupdown(long).bringingUp("br0").lines.text == "auto br0\n" + long)
        #expect(ifupdown(long).bringingUp("br0").automatic == ["br0"])
    }

    @Test func netplanKeepsEverythingButTheAddress() {
        let text = """
            network:
              bridges:
                br1:
                  addresses: [10.5.0.1/24]
                br0:
                  # not 10.5.0.1/24
                  addresses:
                  - 10.6.0.1/24
                  - "10.5.0.1/24" # here
                  optional: true

            """
        func replaced(_ text: String) -> String? {
            NetplanFile(path: "n", bytes: Array(text.utf8)).replacing("10.5.0.1/24", with: "10.5.0.1/16", of: "br0")?
                .lines.text
        }
        #expect(replaced(text) == text.replacing("\"10.5.0.1/24\"", with: "\"10.5.0.1/16\""))
        #expect(replaced(text.replacing("10.6.0.1/24", with: "10.5.0.1/24")) == nil)
        #expect(replaced("network:\n  bridges:\n    br0: {}\n") == nil)
    }

    @Test func sectionsTakeMoreOfAKey() throws {
        var file = SectionFile(
            path: "n", text: "[Match]\nName=br0\n\n[Network]\nAddress=10.6.0.1/24\n# end\n\n[Link]\n")
        try file.add("Network", "Address", "10.5.0.1/16")
        #expect(
            file.lines.text
                == "[Match]\nName=br0\n\n[Network]\nAddress=10.6.0.1/24\n# end\nAddress=10.5.0.1/16\n\n[Link]\n")
        let first = try #require(file.entries("Network", "Address").first)
        try file.replace(first, with: "10.7.0.1/24")
        #expect(file.entries("Network", "Address").map(\.value) == ["10.7.0.1/24", "10.5.0.1/16"])
        #expect(throws: ConfigEditError.self) { try file.add("Network", "Address", "a\nb") }
        #expect(throws: ConfigEditError.self) { try file.replace(first, with: "a\nb") }
    }

    @Test func shorewallTakesRows() {
        var policy = ShorewallFile(
            path: "policy", bytes: Array("# mine\n?COMMENT x\n$FW\tall ACCEPT\nall all REJECT\n".utf8))
        policy.insertFirst(["lxc", "net", "ACCEPT"])
        policy.append(["a", "b"])
        #expect(
            String(decoding: policy.bytes, as: UTF8.self)
                == "# mine\n?COMMENT x\nlxc\tnet\tACCEPT\n$FW\tall ACCEPT\nall all REJECT\na\tb\n")
        for (text, wanted) in [
            ("?SECTION ESTABLISHED\nx\n?SECTION NEW\ny\n", "?SECTION ESTABLISHED\nx\n?SECTION NEW\nr\ty\ny\n"),
            ("# only this\n", "# only this\nr\ty\n"), ("x\ty\n", "r\ty\nx\ty\n"),
            ("?SECTION ALL\nx\n", "?SECTION ALL\nx\n?SECTION NEW\nr\ty\n"),
        ] {
            var rules = ShorewallFile(path: "rules", bytes: Array(text.utf8))
            rules.insert(["r", "y"], section: "NEW")
            #expect(String(decoding: rules.bytes, as: UTF8.self) == wanted)
        }
        #expect(ShorewallFile(path: "i", bytes: Array("#x\n?FORMAT 2\n".utf8)).isFormat2)
        #expect(!ShorewallFile(path: "i", bytes: Array("#?FORMAT 2\n".utf8)).isFormat2)
    }
}

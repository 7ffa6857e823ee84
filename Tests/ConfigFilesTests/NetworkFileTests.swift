import HostModel
import Testing

@testable import ConfigFiles

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Test(arguments: [
    ("network:\n  bridges:\n    lxcbr1:\n      addresses: [10.5.0.1/16]\n", ["10.5.0.1/16"]),
    (
        "network:\n  version: 2\n  bridges:\n    br0: {}\n    lxcbr1:\n      addresses:\n        - 10.5.0.1/16\n        - \"10.6.0.1/16\"\n",
        ["10.5.0.1/16", "10.6.0.1/16"]
    ),
    (
        "network:\n  bridges:\n    lxcbr1:\n      addresses:\n      - 10.5.0.1/16 # the gateway\n      dhcp4: no\n    br1:\n      addresses: [1.2.3.4/24]\n",
        ["10.5.0.1/16"]
    ),
    ("---\n# x\nnetwork:\n    bridges:\n        'lxcbr1':\n            dhcp4: true\n", []),
    (
        "network:\n  bridges:\n    lxcbr1:\n      addresses:\n        - 10.5.0.1/16:\n            lifetime: 0\n",
        ["10.5.0.1/16"]
    ),
])
func netplanBridges(text: String, addresses: [String]) {
    guard case .present(_, let found) = NetplanFile(path: "/n", bytes: bytes(text)).bridge("lxcbr1") else {
        Issue.record("not found")
        return
    }
    #expect(found == addresses)
}

@Test(arguments: [
    "", "network:\n  version: 2\n", "network:\n  ethernets:\n    eth0:\n      addresses: [10.5.0.1/16]\n",
    "network:\n  bridges:\n    br0:\n      addresses: [10.5.0.1/16]\n",
    "network:\n  ethernets:\n    lxcbr1:\n      dhcp4: yes\n  bridges:\n    br0:\n      dhcp4: yes\n",
])
func netplanAbsent(text: String) {
    #expect(NetplanFile(path: "/n", bytes: bytes(text)).bridge("lxcbr1") == .absent)
}

@Test(arguments: [
    "network: {bridges: {lxcbr1: {addresses: [10.5.0.1/16]}}}\n", "network:\n  bridges: {lxcbr1: {}}\n",
    "network:\n\tbridges:\n\t\tlxcbr1:\n", "network:\n  bridges:\n    lxcbr1: {addresses: [10.5.0.1/16]}\n",
    "network:\n  bridges:\n    lxcbr1:\n      addresses: *a\n",
])
func anUnusualNetplanFileIsUnknown(text: String) {
    guard case .unknown = NetplanFile(path: "/n", bytes: bytes(text)).bridge("lxcbr1") else {
        Issue.record("\(text) was understood")
        return
    }
}

@Test func ifupdownStanza() {
    let text = """
        source /etc/network/interfaces.d/*
        source-directory more
        auto lo lxcbr1
        allow-hotplug eth0
        iface lxcbr1 inet static
            # inner comment
            address 10.5.0.1
            netmask 255.255.0.0
            bridge_ports none
            post-up iptables -t nat -A POSTROUTING -s 10.5.0.0/16 \\
                ! -d 10.5.0.0/16 -j MASQUERADE
        iface eth0 inet dhcp
        """
    let file = IfupdownFile(path: "/i", bytes: bytes(text))
    #expect(file.automatic == ["lo", "lxcbr1"])
    #expect(file.sources == ["/etc/network/interfaces.d/*", "more/"])
    #expect(file.interfaces.map(\.name) == ["lxcbr1", "eth0"])
    #expect(file.interfaces[0].value("netmask")?.value == "255.255.0.0")
    #expect(file.interfaces[0].value("bridge_ports")?.value == "none")
    let up = file.interfaces[0].value("post-up")
    #expect(up?.location.line == 10)
    let rule = up.flatMap { IptablesRestoreFile.translation($0.value, $0.location) }
    #expect(rule?.sources.map(\.description) == ["10.5.0.0/16"])
}

@Test func networkdFiles() {
    let device = NetworkdFile(path: "/d", bytes: bytes("[NetDev]\nName=lxcbr1\nKind=bridge\n"))
    #expect(device.bridge == "lxcbr1")
    let network = NetworkdFile(
        path: "/n",
        bytes: bytes(
            "[Match]\nName=lxcbr*\n[Network]\nAddress=10.5.0.1/16\nIPMasquerade=ipv4\nIPForward=yes\n[Address]\nAddress=10.6.0.1/16\n"
        ))
    #expect(network.matches("lxcbr1"))
    #expect(!network.matches("eth0"))
    #expect(network.addresses.map(\.value) == ["10.5.0.1/16", "10.6.0.1/16"])
    #expect(network.masquerade?.location.line == 5)
    #expect(network.forwarding?.on == true)
    let other = NetworkdFile(path: "/n", bytes: bytes("[Match]\nMACAddress=1\nName=*\n[Network]\nIPMasquerade=no\n"))
    #expect(!other.matches("lxcbr1"))
    #expect(other.masquerade == nil)
    #expect(!NetworkdFile(path: "/n", bytes: []).matches("lxcbr1"))
}

@Test func networkManagerBridge() {
    let text =
        "[connection]\nid=b\ntype=bridge\ninterface-name=lxcbr1\n\n[ipv4]\naddress1=10.5.0.1/16,10.5.0.254\nmethod=shared\n"
    let file = NetworkManagerKeyfile(path: "/k", bytes: bytes(text))
    #expect(file.bridge == "lxcbr1")
    #expect(file.addresses.map(\.value) == ["10.5.0.1/16"])
    #expect(file.masquerade?.location.line == 8)
    let off = text.replacing(text[...], "[connection]\nautoconnect=false\n")
    #expect(NetworkManagerKeyfile(path: "/k", bytes: bytes(off)).bridge == nil)
}

extension String {
    fileprivate func replacing(_ range: Substring, _ head: String) -> String {
        head + range.dropFirst("[connection]\n".count)
    }
}

private func unit(_ name: String, _ texts: String...) -> SystemdUnit {
    SystemdUnit(name: name, files: texts.map { SectionFile(path: "/u", text: $0) })
}

@Test(arguments: [
    ("[Unit]\nDefaultDependencies=no\nBefore=network-pre.target\n", "", UnitOrder.before),
    (
        "[Unit]\nDefaultDependencies=no\nBefore=network-pre.target\n", "[Unit]\nBefore=\nAfter=lxc-net.service\n",
        .unordered
    ),
    ("[Unit]\nAfter=network-online.target\n", "", .unordered), ("[Unit]\nBefore=lxc-net.service\n", "", .before),
    ("[Unit]\nDefaultDependencies=no\n[Install]\nWantedBy=sysinit.target\n", "", .before),
    ("[Unit]\nDefaultDependencies=no\n", "", .unordered),
    ("[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n", "", .before),
])
func unitOrder(text: String, dropIn: String, order: UnitOrder) {
    let lxcNet = unit("lxc-net.service", "[Unit]\nAfter=network-online.target\nBefore=lxc.service\n")
    #expect(UnitOrder.of(unit("nftables.service", text, dropIn), relativeTo: lxcNet) == order)
}

@Test func unitLists() {
    let one = unit("a.service", "[Unit]\nAfter=b c \\\n  d\n", "[Unit]\nAfter=\nAfter=e\n# After=f\n")
    #expect(one.after == ["b", "c", "d", "e"])
    #expect(unit("a.service", "[Unit]\nAfter=b c \\\n  d\n").after == ["b", "c", "d"])
    let reset = unit("a.service", "[Service]\nExecStart=/a\n", "[Service]\nExecStart=\nExecStart=/b x\n")
    #expect(reset.words("Service", "ExecStart") == ["/b", "x"])
    #expect(reset.programs == ["/b"])
    #expect(unit("a.service", "[Service]\nExecStart=-/usr/bin/x start\n").programs == ["/usr/bin/x"])
}

@Test(arguments: [
    ("[A]\nk=1\n", "[A]\nk=2\n"), ("[A]\nx=1\n\n[B]\ny=1\n", "[A]\nx=1\nk=2\n\n[B]\ny=1\n"), ("# c", "# c\n[A]\nk=2"),
    ("[A]\nk=1\n[A]\nk=3\n", "[A]\nk=1\n[A]\nk=2\n"),
])
func sectionEdits(before: String, after: String) throws {
    var file = SectionFile(path: "/x", text: before)
    try file.set("A", "k", to: "2")
    #expect(file.lines.text == after)
}

import Testing

@testable import ConfigFiles

private func config(_ text: String, legacy: Bool = true, files: [String: String] = [:]) -> LXCConfig {
    LXCConfig(path: "/c/config", bytes: Array(text.utf8), refusesLegacyKeys: legacy) { path in
        if let text = files[path] { return .file(Array(text.utf8)) }
        let names = files.keys.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count + 1)) }
        return names.isEmpty ? .missing : .directory(names.sorted())
    }
}

@Test(arguments: [
    ("lxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\n", ["lxcbr1"]), ("  lxc.net.0.link=\"lxcbr1\"", ["lxcbr1"]),
    ("lxc.net.0.link = 'lxcbr1' \r\n", ["lxcbr1"]), ("lxc.net.0.link = a\nlxc.net =\nlxc.net.0.link = b", ["b"]),
    ("lxc.net.1.link = b\nlxc.net.0.link = a", ["a", "b"]), ("lxc.net.0.link = a\nlxc.net.0.link = b", ["b"]),
    ("#lxc.net.0.link = a\nfoo bar\nlxc.net.0.link = b", ["b"]), ("lxc.include = /i\n", ["inc"]),
    ("lxc.net.0.link = a\nlxc.include = /i\n", ["inc"]), ("lxc.include = /i\nlxc.net.0.link = a\n", ["a"]),
    ("lxc.include = /d\n", ["dir"]), ("lxc.net.0.link = a\nlxc.net.0 =\n", []),
])
func lxcLinks(text: String, links: [String]) {
    let files = ["/i": "lxc.net.0.link = inc\n", "/d/a.conf": "lxc.net.0.link = dir\n", "/d/README": "lxc.bad = 1\n"]
    let config = config(text, files: files)
    #expect(config.error == nil)
    #expect(config.devices.compactMap(\.link) == links)
}

@Test(arguments: [
    ("lxc.net.0.link\n", "no '='"), ("lxc.nonsense = 1\n", "Unsupported config key"),
    ("lxc.net.0.nonsense = 1\n", "Unsupported config key"), ("lxc.net.x.link = 1\n", "no index"),
    ("lxc.include = /missing\n", "cannot read"), ("lxc.network.type = veth\n", "Unsupported config key"),
    ("lxc.utsname = x\n", "Unsupported config key"), ("lxc.include = /loop\n", "without end"),
    ("lxc.net.0.type = fancy\n", "unknown network type"), ("lxc.net = x\n", "takes no value"),
    ("lxc.include = /tree\n", "without end"),
])
func lxcErrors(text: String, error: String) {
    let files = [
        "/loop": "lxc.include = /loop\n", "/tree/a.conf": "lxc.include = /tree\n",
        "/tree/b.conf": "lxc.include = /tree\n",
    ]
    #expect(config(text, files: files).error?.contains(error) == true)
}

@Test func legacyConfigOfTheImage() {
    let text = """
        lxc.network.type = veth
        lxc.network.link = lxcbr1
        lxc.network.flags = up
        lxc.network.ipv4 = 10.5.0.7/16
        lxc.network.type = veth
        lxc.network.link = lxcbr0
        lxc.rootfs = /var/lib/lxc/makina-states-trusty/rootfs
        lxc.utsname = makina-states-trusty
        lxc.cgroup.devices.deny = a
        """
    let old = config(text, legacy: false)
    #expect(old.error == nil)
    #expect(old.devices.map(\.link) == ["lxcbr1", "lxcbr0"])
    #expect(old.devices[0].addresses == ["10.5.0.7/16"])
    #expect(old.rootfs?.value == "/var/lib/lxc/makina-states-trusty/rootfs")
    #expect(old.legacyKeys.count == 8)
    let new = config(text)
    #expect(new.error == "/c/config:1: Unsupported config key \"lxc.network.type\"")
    #expect(new.legacyKeys.map(\.location.line) == [1])
}

@Test func defaultConfigOfDebian() {
    let text = """
        lxc.net.0.type = veth
        lxc.net.0.link = lxcbr0
        lxc.net.0.flags = up

        lxc.apparmor.profile = generated
        lxc.apparmor.allow_nesting = 1
        lxc.hook.pre-start = /x
        lxc.cgroup2.devices.allow = c 1:3 rwm
        lxc.idmap = u 0 100000 65536
        """
    #expect(config(text).error == nil)
}

@Test func unreadableIncludeIsNotAnError() {
    let config = LXCConfig(path: "/c", bytes: Array("lxc.include = /x\n".utf8)) { _ in .unreadable("permission denied")
    }
    #expect(config.unreadable == "/x: permission denied")
    #expect(config.error == nil)
}

@Test func hostileContainerConfig() {
    _ = config("lxc.net.99999999999999999999.link = a\nlxc.network.9223372036854775807.link = b", legacy: false)
    _ = config("lxc.network.9223372036854775807.type = veth\nlxc.network.type = veth\n", legacy: false)
    _ = config("lxc." + String(repeating: "x", count: 1 << 18) + "\0= ")
    let many = (0..<5000).map { "lxc.net.\($0).link = a\n" }.joined()
    #expect(config(many).devices.count <= 1024)
}

@Test(arguments: [
    ("lxc.net.0.link = lxcbr0\n# x\n", "lxc.net.0.link = lxcbr1\n# x\n"), ("# x", "# x\nlxc.net.0.link = lxcbr1"),
    ("lxc.net.0.link=a\r\nlxc.net.0.link=b\r\n", "lxc.net.0.link=a\r\nlxc.net.0.link=lxcbr1\r\n"),
])
func lxcEdits(before: String, after: String) throws {
    let edited = try LXCConfig.setting("lxc.net.0.link", to: "lxcbr1", in: Array(before.utf8))
    #expect(String(decoding: edited, as: UTF8.self) == after)
}

@Test(
    arguments: [
        ("", "/var/lib/lxc", nil), ("lxc.lxcpath = /srv/lxc/\n", "/srv/lxc", 1),
        ("#lxc.lxcpath = /no\n", "/var/lib/lxc", nil),
        ("lxc.lxcpath=/a\nlxc.lxcpath=/b\n", "/a", 1), ("lxc.bdev.zfs.root = t\n  lxc.lxcpath = /\n", "/", 2),
    ] as [(String, String, Int?)])
func lxcSystemConfig(text: String, path: String, line: Int?) {
    let effective = LXCSystemConfig(bytes: Array(text.utf8)).containerPath
    #expect(effective.path == path)
    #expect(effective.line == line)
}

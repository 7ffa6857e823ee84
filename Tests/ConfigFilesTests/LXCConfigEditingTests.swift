import Testing

@testable import ConfigFiles

/// Edits of one container's configuration: what is meant changes, and nothing else.
@Suite struct LXCConfigEditingTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func addressesAreReplacedWhereTheyStand() {
        let config =
            "# lxc.net.0.ipv4.address = 10.5.0.9\nlxc.net.0.ipv4.address =10.5.0.9 10.5.255.255\nlxc.arch = x\n"
        let edited = LXCConfig.readdressing(in: bytes(config)) { $0 == "10.5.0.9" ? "10.5.0.9/16" : nil }
        #expect(
            text(edited)
                == "# lxc.net.0.ipv4.address = 10.5.0.9\nlxc.net.0.ipv4.address =10.5.0.9/16 10.5.255.255\nlxc.arch = x\n"
        )
        let old = "lxc.network.ipv4 = 10.5.0.9\nlxc.net.0.ipv4.gateway = 10.5.0.9\nno key ipv4.address = 10.5.0.9\n"
        #expect(
            text(LXCConfig.readdressing(in: bytes(old)) { $0 + "/16" })
                == "lxc.network.ipv4 = 10.5.0.9/16\nlxc.net.0.ipv4.gateway = 10.5.0.9\nno key ipv4.address = 10.5.0.9\n"
        )
    }

    @Test func hardwareAddressesAreTheSameInEitherCase() {
        let config = "lxc.net.0.hwaddr = 00:16:3E:00:01:01\nlxc.net.1.hwaddr = 00:16:3e:00:01:02\n"
        let edited = LXCConfig.settingHardwareAddress(
            "00:16:3e:00:01:01", to: "00:16:3e:aa:bb:cc", in: bytes(config))
        #expect(text(edited) == "lxc.net.0.hwaddr = 00:16:3e:aa:bb:cc\nlxc.net.1.hwaddr = 00:16:3e:00:01:02\n")
    }

    @Test(arguments: [
        ("lxc.net.0.type = veth\nlxc.net.0.flags = up\n", "lxc.net.0.type = veth\n+lxc.net.0.flags = up\n"),
        ("lxc.net.0.type = veth\nlxc.net.0.link = br0\n", "lxc.net.0.type = veth\nlxc.net.0.link = br0\n"),
        (
            "lxc.net.0.type = veth\nlxc.net.0.link = br0\nlxc.net.0.link =\n",
            "lxc.net.0.type = veth\n+lxc.net.0.link = br0\nlxc.net.0.link =\n"
        ),
        ("lxc.net.0.type = empty\n", "lxc.net.0.type = empty\n"),
        // What stands before the line that clears all devices does not count.
        (
            "lxc.net.0.type = veth\nlxc.net =\nlxc.net.1.type = veth",
            "lxc.net.0.type = veth\nlxc.net =\nlxc.net.1.type = veth\n+"
        ),
    ])
    func looseDevicesAreLinked(config: String, wanted: String) {
        let index = config.contains("lxc.net.1") ? 1 : 0
        let line = "lxc.net.\(index).link = lxcbr1" + (config.hasSuffix("\n") ? "\n" : "")
        #expect(
            text(LXCConfig.linkingLooseDevices(to: "lxcbr1", in: bytes(config)))
                == wanted.replacing("+", with: line))
    }
}

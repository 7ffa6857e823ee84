import CheckCatalog
import HostModel
import Testing

@Suite struct ProfileReadingTests {
    static let full = """
        name: mine
        summary: A host of ours
        networks:
          - name: inside
            bridge: br9
            address: 10.9.0.1/24
            nat: snat
            snat: [192.0.2.5]
            dhcp: required
            dhcpRange: [10.9.0.10, 10.9.0.99]
            dns: off
            uplink: eth0
            exempt: [10.0.0.0/8]
            target: 203.0.113.9
            owner: incus
            ipv6: FD42:9::1/64
            ipv6Target: 2001:DB8::9
        lxcPath: /srv/lxc
        image: { name: base, wanted: required }
        minimumFreeBytes: 1000

        """

    private func read(_ text: String) throws(CatalogError) -> ProfileEntry {
        try ProfileEntry.read(Array(text.utf8), file: "p.yaml")
    }

    @Test func readsEveryField() throws {
        guard case .fixed(let profile) = try read(Self.full).values, let network = profile.networks.first else {
            Issue.record("no network")
            return
        }
        #expect(profile.name == "mine")
        #expect(profile.lxcPath == "/srv/lxc")
        #expect(profile.image == BaseImage(name: "base", wanted: .required))
        #expect(profile.minimumFreeBytes == 1000)
        #expect(network.name == "inside")
        #expect(network.address.description == "10.9.0.1/24")
        #expect(network.nat == .snat)
        #expect(network.snat.map(\.description) == ["192.0.2.5"])
        #expect(network.dhcp == .required)
        #expect(network.dhcpRange.map(\.description) == ["10.9.0.10", "10.9.0.99"])
        #expect(network.dns == .off)
        #expect(network.uplink == "eth0")
        #expect(network.exempt.map(\.description) == ["10.0.0.0/8"])
        #expect(network.target.description == "203.0.113.9")
        #expect(network.owner == .incus)
        #expect(network.ipv6 == "fd42:9::1/64" && network.translatesIPv6)
        #expect(network.ipv6Target?.description == "2001:db8::9")
    }

    @Test(arguments: [
        ("bridge: br9", "brigde: br9", "p.yaml:4:5: unknown key \"name\""),
        ("bridge: br9", "bridge: br/9", "p.yaml:5:13: \"br/9\" cannot be the name of an interface"),
        ("bridge: br9", "bridge: averyveryverylongname", "p.yaml:5:13: \"averyveryverylongname\" cannot be"),
        ("10.9.0.1/24", "10.9.0.1", "p.yaml:6:14: \"10.9.0.1\" is not an IPv4 address with prefix length"),
        ("10.9.0.1/24", "10.9.0.0/24", "p.yaml:6:14: the bridge's own address with its prefix length is wanted"),
        ("10.9.0.1/24", "10.9.0.1/33", "p.yaml:6:14: \"10.9.0.1/33\" is not an IPv4 address"),
        ("nat: snat", "nat: masquerad", "p.yaml:7:10: nat must be one of masquerade, snat, routed, none"),
        ("[192.0.2.5]", "[192.0.2.500]", "p.yaml:8:12: \"192.0.2.500\" is not an IPv4 address"),
        ("10.9.0.99]", "10.9.0.5]", "p.yaml:10:16: dhcpRange is [first, last]"),
        ("target: 203.0.113.9", "target: 10.9.0.77", "p.yaml:14:13: the target must lie outside 10.9.0.0/24"),
        ("owner: incus", "owner: incu", "p.yaml:15:12: owner must be one of lxc, incus, lxd, libvirt, docker"),
        ("FD42:9::1/64", "FD42:9::1", "p.yaml:16:11: the bridge's own IPv6 address"),
        ("FD42:9::1/64", "FD42::9::1/64", "p.yaml:16:11: the bridge's own IPv6 address"),
        ("FD42:9::1/64", "FD42:12345::1/64", "p.yaml:16:11: the bridge's own IPv6 address"),
        ("2001:DB8::9", "192.0.2.1", "p.yaml:17:17: \"192.0.2.1\" is not an IPv6 address"),
        ("2001:DB8::9", "fd42:9::7", "p.yaml:17:17: the IPv6 target goes with `ipv6`, and must lie outside"),
        ("FD42:9::1/64", "10.9.0.1/24", "p.yaml:16:11: the bridge's own IPv6 address"),
        ("lxcPath: /srv", "lxcPath: srv", "p.yaml:18:10: lxcPath must be an absolute path, not \"srv/lxc\""),
        ("name: base,", "name: a/b,", "p.yaml:19:16: an image's name is a directory name"),
        ("1000", "lots", "p.yaml:20:19: minimumFreeBytes must be a whole number, not \"lots\""),
        ("1000", "-5", "p.yaml:20:19: minimumFreeBytes must not be negative"),
        ("minimumFreeBytes", "minimumFreeByte", "p.yaml:20:1: unknown key \"minimumFreeByte\"; did you mean"),
    ]) func saysWhatIsWrongAndWhere(_ old: String, _ new: String, _ message: String) throws {
        let parts = Self.full.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        do {
            _ = try read(parts.joined(separator: new))
            Issue.record("it was read")
        } catch {
            if old == "bridge: br9", new.hasPrefix("brigde") {
                #expect(error.description == "p.yaml:5:5: unknown key \"brigde\"; did you mean \"bridge\"?")
            } else {
                #expect(error.description.hasPrefix(message), "\(error)")
            }
        }
    }

    @Test func networksMustNotOverlap() {
        let text = """
            name: x
            networks:
              - { bridge: a, address: 10.5.0.1/16 }
              - { bridge: b, address: 10.5.7.1/24 }
            """
        do {
            _ = try read(text)
            Issue.record("it was read")
        } catch {
            #expect(error.description == "p.yaml:4:5: 10.5.7.0/24 overlaps 10.5.0.0/16 of network a")
        }
    }

    @Test func aDerivedProfileHasNoNetworks() throws {
        #expect(try read("name: x\nderived: lxc-net\n").values == .derived("lxc-net"))
        #expect(throws: CatalogError.self) { try read("name: x\nderived: lxc-net\nnetworks: []\n") }
        #expect(throws: CatalogError.self) { try read("name: x\nnetworks: []\n") }
    }

    private static let sum = String(repeating: "0a", count: 32)

    @Test func readsWhereAnImageIsToBeHad() throws {
        let line =
            "image: { name: base, source: \"https://images.example/b/base.tar.xz?x=1\", sha256: \(Self.sum.uppercased()), maximumBytes: 7 }"
        guard
            case .fixed(let profile) = try read(
                Self.full.replacing("image: { name: base, wanted: required }", with: line)
            ).values
        else { return }
        let source = try #require(profile.image?.source)
        #expect(source.location == "https://images.example/b/base.tar.xz?x=1")
        #expect(source.checksum == ImageChecksum(.sha256, Self.sum))
        #expect(source.fileName == "base.tar.xz")
        #expect(source.isRemote)
        #expect(profile.image?.maximumBytes == 7)
    }

    @Test(arguments: [
        ("name: base, source: /srv/a.tar", "an image's source needs its sha256 beside it"),
        ("name: base, sha256: \(sum)", "sha256 without a source"),
        ("name: base, source: /srv/a.tar, sha256: abc", "sha256 is 64 hexadecimal digits, not \"abc\""),
        ("name: base, source: /srv/a.tar, md5: \(sum)", "md5 is 32 hexadecimal digits"),
        (
            "name: base, source: a.tar, sha256: \(sum)",
            "source is an absolute path, or an https or http URL, not \"a.tar\""
        ),
        ("name: base, source: /srv/../a.tar, sha256: \(sum)", "source is an absolute path"),
        ("name: base, source: \"ftp://x.example/a.tar\", sha256: \(sum)", "source is an absolute path"),
        ("name: base, source: \"https://x.example/\", sha256: \(sum)", "source is an absolute path"),
        ("name: base, source: \"https:///a.tar\", sha256: \(sum)", "source is an absolute path"),
        ("name: base, source: \"/srv/a b.tar\", sha256: \(sum)", "source is an absolute path"),
        ("name: base, source: \"https://me:pw@x.example/a.tar\", sha256: \(sum)", "source must not hold"),
        ("name: base, source: \"https://x.example/{a,b}.tar\", sha256: \(sum)", "source must not hold"),
        ("name: -rf, source: /srv/a.tar, sha256: \(sum)", "an image that is to be restored cannot be called \"-rf\""),
        ("name: .x, source: /srv/a.tar, sha256: \(sum)", "an image that is to be restored cannot be called"),
        ("name: base, maximumBytes: 0", "maximumBytes must be above zero"),
        ("name: base, sorce: /srv/a.tar", "unknown key \"sorce\"; did you mean"),
    ]) func saysWhatIsWrongWithAnImage(_ image: String, _ message: String) {
        let text = Self.full.replacing("name: base, wanted: required", with: image)
        do {
            _ = try read(text)
            Issue.record("it was read: \(image)")
        } catch {
            #expect(error.description.hasPrefix("p.yaml:19:"), "\(error)")
            #expect(error.description.contains(message), "\(error)")
        }
    }
}

import Testing

@testable import ConfigFiles

@Suite struct AccessListFileTests {
    private func records(_ text: String) throws(ConfigEditError) -> [AccessListRecord] {
        try AccessListFile(bytes: Array(text.utf8)).records
    }

    @Test func readsWhatGetfaclPrints() throws {
        let found = try records(
            """
            # file: var/log
            # owner: root
            # group: adm
            # flags: -s-
            user::rwx
            user:alice:rw-\t\t#effective:r--
            group::r-x
            group:50:---
            mask::r--
            other::--x
            default:user::rwx
            default:other::---

            # file: plain
            user::rw-
            group::r--
            other::r--
            """)
        #expect(found.map { String(decoding: $0.path, as: UTF8.self) } == ["var/log", "plain"])
        #expect(
            found[0].access == [
                .init(tag: .owner, permissions: 7), .init(tag: .namedUser("alice"), permissions: 6),
                .init(tag: .group, permissions: 5), .init(tag: .namedGroup("50"), permissions: 0),
                .init(tag: .mask, permissions: 4), .init(tag: .other, permissions: 1),
            ])
        #expect(found[0].inherited == [.init(tag: .owner, permissions: 7), .init(tag: .other, permissions: 0)])
        #expect(found.map(\.isTrivial) == [false, true])
    }

    @Test func namesMayHoldAnyByte() throws {
        let found = try records("# file: a\\040b\\134\\012\\377\nuser::rwx\n")
        #expect(found.first?.path == Array("a b\\\n".utf8) + [0xff])
    }

    @Test(arguments: [
        ("user::rwx\n", "line 1"), ("# file: a\nuser::rwz\n", "line 2"), ("# file: a\nuser:rwx\n", "line 2"),
        ("# file: a\nowner::rwx\n", "line 2"), ("# file: a\\09\n", "line 1"), ("# file: \n", "line 1"),
        ("# file: a\nmask:x:rwx\n", "line 2"), ("\n\n# file: a\\000b\n", "line 3"),
    ])
    func aBrokenLineIsNamed(text: String, place: String) {
        do {
            _ = try records(text)
            Issue.record("it was read")
        } catch {
            guard case .notUnderstood(let words) = error else { return }
            #expect(words.hasPrefix(place), "\(words)")
        }
    }

    @Test func anImagesConfigurationBecomesOneOfThisHost() throws {
        let old = """
            # of the image
            lxc.utsname = x
            lxc.rootfs = /old/rootfs
            lxc.mount = /old/fstab
            lxc.network.type = veth
            lxc.network.link = lxcbr0
            lxc.network.type = veth
            lxc.network.link = other0

            """
        let new = try LXCConfig.restored(
            Array(old.utf8), name: "base", directory: "/var/lib/lxc/base", bridge: "lxcbr1")
        #expect(
            String(decoding: new, as: UTF8.self) == """
                # of the image
                lxc.uts.name = base
                lxc.rootfs.path = dir:/var/lib/lxc/base/rootfs
                lxc.mount.fstab = /var/lib/lxc/base/fstab
                lxc.net.0.type = veth
                lxc.net.0.link = lxcbr1
                lxc.net.1.type = veth
                lxc.net.1.link = other0

                """)
        #expect(LXCConfig(path: "config", bytes: new).error == nil)
    }
}

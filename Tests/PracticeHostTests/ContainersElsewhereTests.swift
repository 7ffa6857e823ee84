import Foundation
import HostModel
import TestSupport
import Testing

/// Containers that do not lie in the LXC path, and who else lives at the bridge.
@Suite("Containers elsewhere", .serialized) struct ContainersElsewhereTests {
    /// A copy of the running c1 below another path, with a name and a hardware address of its own, started there.
    private static let second = """
        mkdir -p /srv/lxc; cp -a /var/lib/lxc/c1 /srv/lxc/web
        sed -i 's#/var/lib/lxc/c1#/srv/lxc/web#; s/00:16:3e:00:01:01/00:16:3e:00:01:77/; s/uts.name = c1/uts.name = web/' \
            /srv/lxc/web/config
        lxc-start -P /srv/lxc -n web
        for try in $(seq 300); do
            lxc-attach -P /srv/lxc -n web -- ip route | grep -q default && break; sleep 0.05
        done
        """

    private func reports(_ script: String, containers: Int = 1) throws -> [Report] {
        let ended = try Program.lab(["--containers", "\(containers)"], script)
        let parts = ended.output.components(separatedBy: "SPLIT\n").filter { !$0.isEmpty }
        try #require(!parts.isEmpty, "\(ended.messages)")
        return try parts.map { try JSONDecoder().decode(Report.self, from: Data($0.utf8)) }
    }

    @Test func aRunningContainerOfAnotherPathIsExamined() throws {
        let reports = try reports(
            """
            { \(Self.second)
            } >&2
            lxc-doctor --format json; echo SPLIT
            sed -i 's/00:16:3e:00:01:77/00:16:3e:00:01:01/' /srv/lxc/web/config
            lxc-attach -P /srv/lxc -n web -- ip route del default
            lxc-doctor --format json
            """)
        try #require(reports.count == 2)
        let healthy = reports[0].findings.filter { $0.subject.name == "/srv/lxc/web" }
        #expect(healthy.count > 10, "\(healthy.map(\.check))")
        #expect(healthy.allSatisfy { $0.verdict == .pass || $0.verdict == .notApplicable })
        #expect(reports[0].verdict == .healthy, "\(reports[0].causes.map(\.id))")
        let seen = reports[0].findings.first { $0.check == "container.gateways" }?.evidence.map(\.value).joined() ?? ""
        #expect(seen.contains("c1 eth0 10.5.") && seen.contains("web eth0 10.5."), "\(seen)")
        let causes = reports[1].causes
        #expect(Set(causes.map(\.id)) == ["duplicate-container-mac", "container-no-default-route"])
        let twins = reports[1].findings.first { $0.check == "container.hardware-addresses" }
        #expect(twins?.observed?.contains("c1, /srv/lxc/web") == true, "\(twins?.observed ?? "")")
        let sources = causes.flatMap { $0.evidence.map(\.source) }
        #expect(sources.contains { $0.hasPrefix("/srv/lxc/web/config:") }, "\(sources)")
    }

    /// What lies in a user's own directory is found by the user's right to a bridge, whether it runs or not.
    @Test func aUsersOwnContainerIsExamined() throws {
        let reports = try reports(
            """
            { echo 'alice:x:1000:1000::/home/alice:/bin/sh' >> /etc/passwd
            echo 'alice veth lxcbr1 10' > /etc/lxc/lxc-usernet
            app=/home/alice/.local/share/lxc/app; mkdir -p $app/rootfs
            printf '%s\\n' 'lxc.uts.name = app' "lxc.rootfs.path = dir:$app/rootfs" 'lxc.net.0.type = veth' \
                'lxc.net.0.link = lxcbr9' 'lxc.net.0.flags = up' > $app/config
            chown -R 1000:1000 /home/alice; } >&2
            lxc-doctor --format json
            """, containers: 0)
        let causes = reports[0].causes.map { "\($0.id) \($0.subject.name)" }
        #expect(causes == ["config-links-other-bridge /home/alice/.local/share/lxc/app"])
        #expect(reports[0].causes.first?.evidence.contains { $0.source.contains("/share/lxc/app/config:") } == true)
        // Nothing of it is edited: it is the user's.
        #expect(reports[0].exitCode == 1)
    }

    @Test func nothingOfAUsersIsEdited() throws {
        let ended = try Program.lab(
            [],
            """
            { echo 'alice:x:1000:1000::/home/alice:/bin/sh' >> /etc/passwd
            echo 'alice veth lxcbr1 10' > /etc/lxc/lxc-usernet
            app=/home/alice/.local/share/lxc/app; mkdir -p $app/rootfs
            printf '%s\\n' 'lxc.net.0.type = veth' 'lxc.net.0.link = lxcbr9' > $app/config
            sha256sum $app/config > /tmp/sum; lxc-doctor --auto-remediate --yes --quiet; } >&2
            sha256sum -c /tmp/sum
            """)
        #expect(ended.output.hasSuffix("app/config: OK\n"), "\(ended.output)\(ended.messages)")
    }

    /// A namespace without a name and without LXC, as Docker and Podman make them: a process lives in it.
    @Test func aNamespaceOfAnotherProgramIsExamined() throws {
        let reports = try reports(
            """
            { unshare --net sleep 60 & pid=$!
            until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
            ip link add podport type veth peer name eth0 netns $pid
            ip link set podport master lxcbr1 up
            nsenter --net=/proc/$pid/ns/net sh -c 'ip addr add 10.5.0.1/16 dev eth0; ip link set eth0 up'
            } >&2
            lxc-doctor --format json
            kill $pid
            """, containers: 0)
        let causes = Set(reports[0].causes.map(\.id))
        #expect(causes == ["container-no-default-route", "gateway-ip-stolen"], "\(causes)")
        let routes = reports[0].findings.first { $0.check == "container.default-routes" }
        #expect(routes?.observed?.contains("/proc/") == true, "\(routes?.observed ?? "")")
    }
}

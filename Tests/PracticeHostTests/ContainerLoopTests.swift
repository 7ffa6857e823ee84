import Foundation
import HostModel
import TestSupport
import Testing

/// Repairs of containers, with real ones: broken, named, repaired while they run, taken back, repaired again, booted.
@Suite("A repair of a container", .serialized) struct ContainerLoopTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        var cause: String
        /// Commands of the plan that must be in it, one at runtime and one in a file; nil: the file is right already.
        var runtime: String?
        var persistent: String?
        /// A script that must succeed after the repair, and again after the boot.
        var holds: String
        /// The program that looks at the file, with its first arguments.
        var checker = "lxc-info -P /var/lib/lxc -n "

        var testDescription: String { fault }
    }

    static let cases: [Case] = [
        Case(
            fault: "veth-not-in-bridge", cause: "veth-not-in-bridge", runtime: "nomaster -> lxcbr1", persistent: nil,
            holds: "ping_out c1"),
        Case(
            fault: "veth-not-in-bridge=networkmanager", cause: "veth-not-in-bridge", runtime: "nomaster -> lxcbr1",
            persistent: "# Containers' interfaces belong to LXC: NetworkManager would take them out of their bridge.; "
                + "[keyfile]; unmanaged-devices+=interface-name:veth*",
            holds: "ping_out c1 && [ $(nmcli -t -f DEVICE,STATE device | grep -c '^veth.*:unmanaged$') = 1 ]"
                + " && ! nmcli connection up office ifname \"$(ls /sys/class/net/lxcbr1/brif | grep ^veth)\"",
            checker: "NetworkManager --print-config"),
        Case(
            fault: "config-no-link=running", cause: "config-no-link", runtime: "nomaster -> lxcbr1",
            persistent: "lxc.net.0.link = lxcbr1", holds: "ping_out c1"),
        Case(
            fault: "config-links-other-bridge=running", cause: "config-links-other-bridge",
            runtime: "nomaster -> lxcbr1", persistent: "lxc.net.0.link = lxcbr1", holds: "ping_out c1"),
        Case(
            fault: "config-address-without-prefix=running", cause: "config-address-without-prefix",
            runtime: "10.5.0.2/8 -> 10.5.0.2/16", persistent: "lxc.net.0.ipv4.address = 10.5.0.2/16",
            holds: "ping_out c1 && inside c1 ip -o -4 addr show dev eth0 | grep -q ' 10.5.0.2/16 '"
                + " && ! inside c1 ip -o -4 addr show dev eth0 | grep -q 10.5.0.2/8"),
        Case(
            fault: "config-address-without-prefix=stray", cause: "config-address-without-prefix", runtime: nil,
            persistent: "lxc.net.0.ipv4.address = 10.5.0.2/16",
            holds: "[ \"$(lxc-info -n stray -c lxc.net.0.ipv4.address)\" = 'lxc.net.0.ipv4.address = 10.5.0.2/16' ]"),
        Case(
            fault: "duplicate-container-mac=running", cause: "duplicate-container-mac",
            runtime: "00:16:3e:00:01:01 -> 00:16:3e:", persistent: "lxc.net.0.hwaddr = 00:16:3e:",
            holds: "ping_out c1 && ping_out c2 && [ \"$(inside c1 cat_mac)\" != \"$(inside c2 cat_mac)\" ]"),
        Case(
            fault: "duplicate-container-mac=copied", cause: "duplicate-container-mac", runtime: nil,
            persistent: "lxc.net.0.hwaddr = 00:16:3e:",
            holds: "grep -h hwaddr /var/lib/lxc/*/config | tr A-F a-f | sort | uniq -d | wc -l | grep -qx 0"),
    ]

    private static let script =
        RemedyLoop.functions + #"""

            inside() {
                name=$1; shift
                if [ "$1" = cat_mac ]; then set -- ip -o link show dev eth0; fi
                nsenter --net="/proc/$(lxc-info -n "$name" -pH)/ns/net" "$@" | sed -E 's/.*link.ether ([^ ]*).*/\1/'
            }
            ping_out() { lxc-attach -n "$1" -- ping -c 1 -W 2 198.51.100.7 >&2; }
            containers() {
                bridge link | sed 's/.*\(veth[^:@]*\).* \(master [^ ]*\) .*/\1 \2/' | sort
                for name in $(lxc-ls -1 --running); do
                    echo "$name"; inside "$name" ip -o -4 addr | sort; inside "$name" ip route; inside "$name" cat_mac
                done
            }
            all() { state; containers; }
            boot() {
                running=$(lxc-ls -1 --running)
                for name in $running; do lxc-stop -k -n "$name"; done
                reboot
                for name in $running; do lxc-start -n "$name"; done
                # The port that stood for a container's: its other end, on this host, answers for the bridge.
                ip link del port0 2>/dev/null
                for name in $running; do
                    i=0
                    while [ $i -lt 150 ] && ! inside "$name" ip route | grep -q ^default; do sleep 0.1; i=$((i + 1)); done
                done
            }
            all >/tmp/before
            echo "REPORT broken"; lxc-doctor --format json
            lxc-doctor fix plan --format json=/root/plan >&2
            echo "REPORT repaired"; lxc-doctor --auto-remediate --yes --format json 2>/dev/null
            echo "REPORT holds"; { HOLDS; } >&2 && echo HOLDS
            all >/tmp/repaired
            lxc-doctor fix undo --yes --quiet >&2
            all >/tmp/undone
            echo "REPORT undo"; diff /tmp/before /tmp/undone && echo SAME
            echo "REPORT again"; lxc-doctor --auto-remediate --yes --format json 2>/dev/null
            all >/tmp/again
            echo "REPORT same"; diff /tmp/repaired /tmp/again && echo SAME
            echo "REPORT twice"
            lxc-doctor fix apply --plan /root/plan --yes --quiet >&2; echo "plan $?"
            lxc-doctor --auto-remediate --yes --quiet >&2; echo "doctor $?"
            all >/tmp/twice; diff /tmp/again /tmp/twice && echo SAME
            boot
            echo "REPORT booted"; lxc-doctor --format json
            echo "REPORT still"; { HOLDS; } >&2 && echo HOLDS
            """#

    @Test("is made while it runs, taken back and made again, and outlives a boot", arguments: cases)
    func loop(item: Case) throws {
        let ended = try Program.lab(
            ["--fault", item.fault], Self.script.replacingOccurrences(of: "HOLDS; }", with: item.holds + "; }"))
        var parts: [String: String] = [:]
        for part in ended.output.components(separatedBy: "REPORT ").dropFirst() {
            let end = try #require(part.firstIndex(of: "\n"))
            parts[String(part[..<end])] = String(part[part.index(after: end)...])
        }
        func report(_ name: String) throws -> Report {
            let text = try #require(parts[name], "\(ended.messages)")
            return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
        }
        #expect(try report("broken").causes.map(\.id) == [item.cause])
        for name in ["repaired", "again"] {
            let after = try report(name)
            #expect(after.verdict == .healthy, "\(name): \(after.causes.map(\.id)) \(String(describing: after.fixes))")
            #expect(after.proof?.verdict == .masqueraded)
            let steps = after.fixes?.steps ?? []
            let changes = steps.map { "\($0.before == "none" ? "nomaster" : $0.before) -> \($0.after)" }
            if let runtime = item.runtime {
                #expect(changes.contains { $0.hasPrefix(runtime) }, "\(changes)")
            }
            if let persistent = item.persistent {
                #expect(steps.contains { $0.after.hasPrefix(persistent) }, "\(changes)")
                #expect(steps.contains { $0.command.hasPrefix(item.checker) }, "\(steps)")
            } else {
                #expect(steps.allSatisfy { $0.target.hasPrefix("bridge of") }, "\(steps)")
            }
        }
        #expect(parts["holds"] == "HOLDS\n", "\(ended.messages)")
        #expect(parts["undo"] == "SAME\n", "\(parts["undo"] ?? "") \(ended.messages)")
        #expect(parts["same"] == "SAME\n", "\(parts["same"] ?? "")")
        #expect(parts["twice"] == "plan 0\ndoctor 0\nSAME\n", "\(parts["twice"] ?? "") \(ended.messages)")
        let booted = try report("booted")
        #expect(booted.verdict == .healthy, "\(booted.causes.map(\.id)) \(ended.messages)")
        #expect(booted.proof?.verdict == .masqueraded)
        #expect(parts["still"] == "HOLDS\n", "\(ended.messages)")
        TestResults.note(.reproduced, [item.cause])
        TestResults.note(.repaired, [item.cause])
    }

    /// lxc-net is stopped and started beneath it: the bridge stays, and so do the container's port, address and flows.
    @Test func aRunningContainerOutlivesANewStartOfLxcNet() throws {
        let ended = try Program.lab(
            ["--containers", "1", "--fault", "bridge-wrong-address-or-mask=settings"],
            RemedyLoop.functions + #"""

                inside() { nsenter --net="/proc/$(lxc-info -n c1 -pH)/ns/net" "$@"; }
                # The kernel takes a proof's port away a moment after the proof has ended.
                attached() { bridge link | grep -v lxcdoc | sed -E 's/^[0-9]+: (veth[^@]*).* (master [^ ]*) .*/\1 \2/'; inside ip -o -4 addr; inside ip route; }
                attached >/tmp/attached; grep -c 'master lxcbr1' /tmp/attached
                state >/tmp/before
                lxc-doctor --auto-remediate --yes --quiet >&2; echo "repaired $?"
                attached | diff /tmp/attached - && echo ATTACHED
                lxc-attach -n c1 -- ping -c 1 -W 2 198.51.100.7 >&2 && echo REACHES
                lxc-doctor fix undo --yes --quiet >&2; state | diff /tmp/before - && echo SAME
                attached | diff /tmp/attached - && echo ATTACHED
                """#)
        #expect(
            ended.output.split(separator: "\n") == ["1", "repaired 0", "ATTACHED", "REACHES", "SAME", "ATTACHED"],
            "\(ended.output) \(ended.messages)")
    }

    /// LXC's own program is the oracle for the keys of old.
    @Test func theKeysOfOldBecomeWhatLXCMakesOfThem() throws {
        let config = """
            # The image of the recipe.
            lxc.utsname = old
            lxc.rootfs = /var/lib/lxc/old/rootfs
            lxc.mount = /var/lib/lxc/old/fstab
            lxc.mount.entry = proc proc proc nodev,noexec,nosuid 0 0
            lxc.tty = 4
            lxc.pts = 1024
            lxc.devttydir = lxc
            lxc.kmsg = 0
            lxc.pivotdir = lxc_putold
            lxc.rootfs.backend = dir
            lxc.aa_profile = unconfined
            lxc.id_map = u 0 100000 65536
            lxc.seccomp = /usr/share/lxc/config/common.seccomp
            lxc.haltsignal = SIGRTMIN+4
            lxc.loglevel = 1
            lxc.console = none
            lxc.network.type = veth
            lxc.network.link = lxcbr1
            lxc.network.flags = up
            lxc.network.hwaddr = 00:16:3e:01:02:03
            lxc.network.ipv4 = 10.5.0.9/16
            lxc.network.ipv4.gateway = 10.5.0.1
            lxc.network.type = veth
            lxc.network.link = lxcbr1
            lxc.network.ipv6 = fd00::2/64
            lxc.cap.drop = sys_module
            lxc.autodev = 1
            """
        let ended = try FixLab.run(
            [],
            """
            mkdir -p /var/lib/lxc/old/rootfs; touch /var/lib/lxc/old/fstab; cd /var/lib/lxc/old
            cat >config <<'END'
            \(config)
            END
            cp config /tmp/theirs; lxc-update-config -c /tmp/theirs
            cmp -s config /tmp/theirs || echo legacy
            applied --only container.config-keys --proof off
            cmp config /tmp/theirs && echo SAME
            """)
        #expect(ended.lines == ["legacy", "SAME"], "\(ended.output) \(ended.messages)")
    }

    /// LXC is asked to load what was written; where it does not, the file is as it was.
    @Test func whatLXCDoesNotLoadIsTakenBack() throws {
        let ended = try FixLab.run(
            ["config-address-without-prefix=stray"],
            #"""
            cd /var/lib/lxc/stray; echo 'lxc.bogus = 1' >>config; cp -a config /tmp/config
            lxc-doctor --auto-remediate --yes --only container.address-prefix --proof off --format json >/tmp/report
            echo "status $?"; cmp config /tmp/config && [ "$(ls -A)" = "$(printf 'config\nrootfs')" ] && echo SAME
            grep '"reason"' /tmp/report | grep -o 'lxc-info -P /var/lib/lxc -n stray -s: [^;"]*'
            """#)
        #expect(
            ended.lines == [
                "status 2", "SAME", "lxc-info -P /var/lib/lxc -n stray -s: Failed to load config for stray",
            ],
            "\(ended.output) \(ended.messages)")
    }
}

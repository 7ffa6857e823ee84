import Foundation
import HostModel
import TestSupport
import Testing

/// The base image, restored from a file.
@Suite(.serialized) struct ImageTests {
    @Test func whatTheArchiveHoldsIsThereWithOwnersListsAndAttributes() throws {
        let ended = try ImageLab.run(
            #"""
            good
            restore >/dev/null; echo "status $?"
            cd /var/lib/lxc/$name
            stat -c '%n %a %u:%g %h' . rootfs/shared rootfs/sbin/init
            find rootfs/dev -mindepth 1; readlink rootfs/etc/link
            cat config; ls -A | sort | tr '\n' ' '; echo; ls -A /var/lib/lxc
            cmp config.bak /srv/tree/config && echo BACKUP
            python3 - <<'END'
            import os
            print(os.getxattr("rootfs/etc/passwd", "user.note").decode())
            print(os.getxattr("rootfs/shared", "system.posix_acl_access").hex())
            print(os.getxattr("rootfs/shared", "system.posix_acl_default").hex())
            print([n for n in os.listxattr("/etc/passwd") if "acl" in n])
            END
            lxc-info -n $name -s
            """#)
        let lists = [
            // Version 2; owner rwx, user 4321 rwx, group r-x, group 77 r--, mask rwx, other r-x.
            "0200000001000700ffffffff02000700e110000004000500ffffffff080004004d00000010000700ffffffff20000500ffffffff",
            "0200000001000700ffffffff04000500ffffffff20000000ffffffff",
        ]
        #expect(
            ended.lines == [
                "status 0", ". 770 0:0 3", "rootfs/shared 775 4321:77 2", "rootfs/sbin/init 4755 0:0 2",
                "rootfs/dev/initctl", "/etc/passwd", "lxc.uts.name = makina-states-trusty",
                "lxc.rootfs.path = dir:/var/lib/lxc/makina-states-trusty/rootfs",
                "lxc.mount.fstab = /var/lib/lxc/makina-states-trusty/fstab", "lxc.net.0.type = veth",
                "lxc.net.0.link = lxcbr1", "lxc.net.0.flags = up", "# kept",
                ".makina-states-trusty-lxc-25.tar.xzpractice-hostaclsdone "
                    + ".makina-states-trusty-lxc-25.tar.xzunpacked acls.txt config config.bak fstab rootfs ",
                "makina-states-trusty", "BACKUP", "kept", lists[0], lists[1], "[]",
                "State:          STOPPED",
            ], "\(ended.messages)")
    }

    @Test func aRestoredImageStartsAndReachesTheOutside() throws {
        // A container that lxc-create made, in the keys of old and one directory deep in its archive.
        let ended = try ImageLab.run(
            #"""
            mkdir /srv/deep; cp -a /usr/share/lxc-doctor-practice/pattern /srv/deep/pattern
            sed -i -e '/^lxc.net/d; /apparmor/d' -e 's/^lxc.rootfs.path.*/lxc.rootfs = \/old/' /srv/deep/pattern/config
            printf '%s\n' 'lxc.network.type = veth' 'lxc.network.link = lxcbr0' 'lxc.network.flags = up' \
                'lxc.aa_profile = unconfined' >>/srv/deep/pattern/config
            tar -C /srv/deep -czf "$archive" pattern; profile "$archive" "sha256: $(sum "$archive")"
            echo "REPORT"; lxc-doctor --format json | tr -d '\n'; echo
            restore | tr -d '\n'; echo
            lxc-start -n $name
            for try in $(seq 150); do lxc-attach -n $name -- ping -c 1 -W 1 198.51.100.7 >&2 && echo REACHED && break; done
            lxc-doctor --format json | tr -d '\n'; echo
            lxc-stop -k -n $name
            """# + "\n" + RemedyLoop.functions + "\nreboot; lxc-doctor --format json | tr -d '\\n'")
        try #require(ended.lines.count == 6, "\(ended.output) \(ended.messages)")
        func report(_ line: Int) throws -> Report {
            try JSONDecoder().decode(Report.self, from: Data(ended.lines[line].utf8))
        }
        let broken = try report(1)
        #expect(broken.causes.map(\.id) == ["base-image-missing"])
        #expect(broken.causes.first?.remedy?.commands == ["lxc-doctor fix apply image"])
        #expect(try report(2).verdict == .healthy)
        #expect(try report(2).fixes?.outcome == .applied)
        #expect(try report(2).fixes?.steps.map(\.reversal) == ["none"])
        #expect(ended.lines[3] == "REACHED")
        for line in [4, 5] {
            let report = try report(line)
            #expect(report.verdict == .healthy, "\(report.causes.map(\.id))")
            #expect(report.proof?.verdict == .masqueraded)
        }
    }

    @Test func twiceChangesNothingAndUndoSaysThatItStays() throws {
        let ended = try ImageLab.run(
            #"""
            good
            restore >/dev/null
            touch /var/lib/lxc/$name/mine
            restore | grep -c '"state" *: *"unchanged"'
            lxc-doctor fix undo --yes
            ls /var/lib/lxc/$name/mine
            """#)
        #expect(ended.lines.first == "1")
        let words = ended.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("\(ImageLab.path) stays: it is complete, and nothing takes it back"), "\(words)")
        #expect(ended.lines.last == "\(ImageLab.path)/mine")
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var what: String
        var script: String
        var says: String
        var outcome = "rolledBack"
        var testDescription: String { what }
    }

    /// Python's tarfile makes what tar would not: members by name, kind and target.
    private static func hostile(_ members: String) -> String {
        #"""
        tree /srv/tree
        python3 - "$archive" <<'END'
        import io, sys, tarfile
        out = tarfile.open(sys.argv[1], "w:xz")
        out.add("/srv/tree", ".", filter=lambda item: None if item.isdev() else item)
        def member(name, kind=tarfile.REGTYPE, link="", data=b"owned\n"):
            item = tarfile.TarInfo(name)
            item.type, item.linkname, item.mode = kind, link, 0o644
            item.size = len(data) if kind == tarfile.REGTYPE else 0
            out.addfile(item, io.BytesIO(data) if kind == tarfile.REGTYPE else None)

        """# + members + "\nout.close()\nEND\nprofile \"$archive\" \"sha256: $(sum \"$archive\")\"\n"
    }

    static let refused: [Refused] = [
        Refused(
            what: "another sum", script: "good; printf x >>\"$archive\"",
            says: "and the profile wants"),
        Refused(
            what: "a file that others may write to", script: "good; chmod 666 \"$archive\"",
            says: "only root can write to"),
        Refused(
            what: "a link to a file", script: "good; mv \"$archive\" /srv/images/x; ln -s x \"$archive\"",
            says: "symbolic link"),
        Refused(
            what: "a name with ..", script: hostile("member('../../../etc/owned')"), says: "Member name contains '..'"),
        Refused(
            what: "a link out, then a file through it",
            script: hostile("member('way', tarfile.SYMTYPE, '/etc'); member('way/owned')"), says: "status 2"),
        Refused(
            what: "a relative link out, then a file through it",
            script: hostile("member('rootfs/way', tarfile.SYMTYPE, '../../../../../etc'); member('rootfs/way/owned')"),
            says: "status 2"),
        Refused(
            what: "a hard link to the host's file",
            script: hostile("member('rootfs/shadow', tarfile.LNKTYPE, '/etc/hostname')"), says: "Cannot hard link"),
        Refused(
            what: "a hard link with ..",
            script: hostile("member('rootfs/shadow', tarfile.LNKTYPE, '../../../../etc/hostname')"),
            says: "status 2"),
        Refused(
            what: "a rootfs that is a link",
            script: "mkdir /srv/tree; ln -s /etc /srv/tree/rootfs; echo 'lxc.arch = x' >/srv/tree/config; "
                + "pack /srv/tree \"$archive\"; profile \"$archive\" \"sha256: $(sum \"$archive\")\"",
            says: "it holds no container"),
        Refused(
            what: "a configuration that LXC refuses",
            script: "tree /srv/tree; echo 'lxc.bogus = 1' >>/srv/tree/config; pack /srv/tree \"$archive\"; "
                + "profile \"$archive\" \"sha256: $(sum \"$archive\")\"",
            says: "Failed to load config"),
        Refused(
            what: "no archive at all",
            script: "echo hello >\"$archive\"; profile \"$archive\" \"sha256: $(sum \"$archive\")\"",
            says: "not look like a tar archive"),
        Refused(
            what: "more than was allowed",
            script: "tree /srv/tree; head -c 60000000 /dev/zero >/srv/tree/rootfs/zeros; pack /srv/tree \"$archive\"; "
                + "profile \"$archive\" \"sha256: $(sum \"$archive\"), maximumBytes: 20000000\"",
            says: "nothing of it was kept"),
        Refused(
            what: "many files that are more than was allowed",
            script: "tree /srv/tree; for i in $(seq 30); do head -c 2000000 /dev/zero >/srv/tree/rootfs/z$i; done; "
                + "pack /srv/tree \"$archive\"; profile \"$archive\" \"sha256: $(sum \"$archive\"), maximumBytes: 20000000\"",
            says: "maximumBytes"),
        Refused(
            what: "a file that is huge and empty",
            script: "tree /srv/tree; truncate -s 1T /srv/tree/rootfs/holes; tar -C /srv/tree -cJSf \"$archive\" .; "
                + "profile \"$archive\" \"sha256: $(sum \"$archive\")\"",
            says: "a file in it is longer than 34359738368 bytes (maximumBytes"),
        Refused(
            what: "more than there is room for",
            script: "tree /srv/tree; head -c 90000000 /dev/zero >/srv/tree/rootfs/zeros; pack /srv/tree \"$archive\"; "
                + "mount -t tmpfs -o size=64m,mode=755 none /var/lib/lxc; profile \"$archive\" \"sha256: $(sum \"$archive\")\"",
            says: "no room left"),
        Refused(
            what: "more files than there is room for",
            script:
                "tree /srv/tree; for i in $(seq 3000); do : >/srv/tree/rootfs/$i; done; pack /srv/tree \"$archive\"; "
                + "mount -t tmpfs -o nr_inodes=500,mode=755 none /var/lib/lxc; profile \"$archive\" \"sha256: $(sum \"$archive\")\"",
            says: "no inodes left"),
        Refused(
            what: "less room than the profile wants",
            script: "good; profile \"$archive\" \"sha256: $(sum \"$archive\")\" 'minimumFreeBytes: 1000000000000000'",
            says: "the profile wants 953674316 MiB for an image", outcome: "refused"),
    ]

    @Test("is not restored from what is hostile, wrong or too much", arguments: refused)
    func leavesNothing(item: Refused) throws {
        let ended = try ImageLab.run(
            item.script + #"""

                canary() { find /etc /usr/bin -xdev -newer /tmp/mark ! -type d; sha256sum /etc/hostname; stat -c %h /etc/hostname; }
                touch /tmp/mark; before=$(canary)
                restore >/tmp/report; echo "status $?"
                [ "$before" = "$(canary)" ] && echo UNTOUCHED
                absent && echo ABSENT
                python3 -c 'import json; fixes = json.load(open("/tmp/report"))["fixes"]; print(fixes["outcome"], fixes["reason"])'
                """#)
        #expect(ended.lines.prefix(3) == ["status 2", "UNTOUCHED", "ABSENT"], "\(ended.output) \(ended.messages)")
        #expect(ended.lines.last?.hasPrefix(item.outcome) == true, "\(ended.output)")
        #expect(ended.lines.last?.contains(item.says) == true, "\(ended.output)")
    }

    /// An absolute name lands inside, as tar says; nothing else may happen.
    @Test func anAbsoluteNameStaysInside() throws {
        let ended = try ImageLab.run(
            Self.hostile("member('/etc/owned')")
                + "restore >/dev/null; echo \"status $?\"; ls /etc/owned 2>&1; ls /var/lib/lxc/$name/etc/owned")
        #expect(ended.lines.first == "status 0", "\(ended.messages)")
        #expect(ended.lines.last == "\(ImageLab.path)/etc/owned")
        #expect(ended.lines.dropFirst().first?.contains("No such file") == true)
    }

    /// Whatever an archive may make of tar: here it is a program that does its worst.
    @Test func aTarThatTurnsEvilReachesNothing() throws {
        let ended = try ImageLab.run(
            #"""
            good
            cat >/usr/bin/tar <<'END'
            #!/bin/bash
            case "$*" in *--version*) echo "tar (GNU tar) 1.34"; exit 0;; esac
            echo owned >/etc/owned; echo owned >/var/lib/lxc/owned; ln /etc/hostname linked; rm -f /srv/images/*
            mount --bind /etc rootfs; ip link del lxcbr1; kill -9 $(pgrep -x dnsmasq); hostname owned
            mknod disk b 8 0 && head -c 1 disk >/dev/null && echo READ
            cp /bin/true run && ./run && echo RAN
            mkdir -p rootfs/sbin; echo 'lxc.uts.name = x' >config; ls >&2
            END
            before=$(pgrep -x dnsmasq)
            restore >/tmp/report
            ls /etc/owned /var/lib/lxc/owned 2>/dev/null; stat -c %h /etc/hostname; ls /srv/images; hostname
            [ "$before" = "$(pgrep -x dnsmasq)" ] && ip -br link show lxcbr1 | cut -d ' ' -f 1
            ls /var/lib/lxc/$name; grep -cwE 'READ|RAN' /tmp/report; grep '"reason".*nothing' /tmp/report >&2
            """#)
        #expect(
            ended.lines.filter { !$0.hasPrefix(".") } == [
                "1", "makina-states-trusty-lxc-25.tar.xz", "practice-host", "lxcbr1", "config", "config.bak",
                "rootfs", "run", "0",
            ], "\(ended.output) \(ended.messages)")
    }

    @Test func anIncompleteOneIsNotTakenAway() throws {
        let ended = try ImageLab.run(
            #"""
            good; mkdir -p /var/lib/lxc/$name; echo mine >/var/lib/lxc/$name/precious
            restore >/tmp/report; echo "status $?"; cat /var/lib/lxc/$name/precious
            grep '"reason"' /tmp/report | grep -o "mv -T [^\"]*" | tee /tmp/aside
            sh /tmp/aside; restore >/dev/null; echo "status $?"
            """#)
        #expect(
            ended.lines == [
                "status 2", "mine",
                "mv -T \(ImageLab.path) /var/lib/lxc/.makina-states-trusty.incomplete", "status 0",
            ], "\(ended.messages)")
    }

    @Test func anMD5IsTakenWithAWarning() throws {
        let ended = try ImageLab.run(
            "good; profile \"$archive\" \"md5: $(md5sum <\"$archive\" | cut -d ' ' -f 1)\"; restore >/dev/null; echo \"status $?\""
        )
        #expect(ended.lines == ["status 0"], "\(ended.messages)")
        #expect(ended.messages.contains("WARNING: an MD5 tells accidents only"))
        let wrong = try ImageLab.run(
            "good; profile \"$archive\" \"md5: 7be985a7965d0228178aad06f6ad0a4c\"; restore >/dev/null; echo \"status $?\"; absent && echo ABSENT"
        )
        #expect(wrong.lines == ["status 2", "ABSENT"])
    }

    @Test func aProfileWithoutASourceIs65() throws {
        let ended = try ImageLab.run("lxc-doctor fix apply image --yes; echo \"status $?\"")
        #expect(ended.lines == ["status 65"])
        #expect(ended.messages.contains("does not say where its base image is to be had"))
    }

    @Test func aSourceWithoutASumIs65() throws {
        let ended = try ImageLab.run(
            #"""
            good; sed -i 's/, sha256: [0-9a-f]*//' /etc/lxc-doctor/profile.yaml; grep -c 'source:' /etc/lxc-doctor/profile.yaml
            lxc-doctor fix apply image --yes; echo "status $?"; absent && echo ABSENT
            """#)
        #expect(ended.lines == ["1", "status 65", "ABSENT"], "\(ended.output)")
        #expect(ended.messages.contains("sha256"), "\(ended.messages)")
    }

    @Test func theBarIsForTerminalsOnly() throws {
        let ended = try ImageLab.run(
            #"""
            tree /srv/tree; head -c 60000000 /dev/urandom >/srv/tree/rootfs/noise; tar -C /srv/tree -cf "$archive" .
            profile "$archive" "sha256: $(sum "$archive")"
            restore >/dev/null 2>/tmp/quiet; grep -c '\[#' /tmp/quiet
            rm -rf /var/lib/lxc/$name
            python3 -c '
            import os, pty, re
            seen = b""
            def read(fd):
                global seen
                data = os.read(fd, 4096)
                seen += data
                return data
            pty.spawn(["lxc-doctor", "fix", "apply", "image", "--yes", "--proof", "off"], read)
            text = seen.decode(errors="replace")
            print("\nSEEN", bool(re.search(r"\r\x1b\[K[0-9.]+ s  (checking|unpacking)  \[#+-*\] [0-9]+ %  [0-9]+ of 57 MiB", text)))
            '
            """#)
        #expect(ended.lines.first == "0" && ended.lines.last == "SEEN True", "\(ended.output) \(ended.messages)")
    }

    @Test func killedWhileItUnpacksNothingIsLeft() throws {
        let ended = try ImageLab.run(
            #"""
            tree /srv/tree; head -c 300000000 /dev/urandom >/srv/tree/rootfs/noise; tar -C /srv/tree -cf "$archive" .
            profile "$archive" "sha256: $(sum "$archive")"
            for delay in 0.01 0.03 0.06 0.1; do
                lxc-doctor fix apply image --yes --quiet --proof off & doctor=$!
                until [ -d /var/lib/lxc/.lxc-doctor-$name.new/unpacked ]; do sleep 0.002; done
                sleep $delay; kill -9 $doctor; wait $doctor 2>/dev/null
                sleep 0.2; pgrep -x tar >/dev/null || echo ENDED
                lxc-doctor fix history --quiet; absent && echo ABSENT
            done
            restore >/dev/null; echo "status $?"
            """#)
        #expect(
            ended.lines == Array(repeating: ["ENDED", "ABSENT"], count: 4).flatMap { $0 } + ["status 0"],
            "\(ended.messages)")
    }
}

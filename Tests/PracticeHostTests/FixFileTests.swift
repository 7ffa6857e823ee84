import Foundation
import TestSupport
import Testing

/// What a repair does to files that are not its own.
@Suite(.serialized) struct FixFileTests {
    /// `mark PATH`: an access list (user 1234 may read), a label of SELinux and an attribute. `facts PATH`: everything but
    /// the content.
    private static let tools = """
        mark() {
            python3 - "$1" <<'END'
        import os, struct, sys
        entry = lambda tag, rights, who: struct.pack('<HHI', tag, rights, who)
        none = 0xffffffff
        acl = struct.pack('<I', 2) + entry(1, 6, none) + entry(2, 4, 1234) + entry(4, 4, none) + entry(16, 4, none) \\
            + entry(32, 0, none)
        os.setxattr(sys.argv[1], 'system.posix_acl_access', acl)
        os.setxattr(sys.argv[1], 'security.selinux', b'system_u:object_r:etc_t:s0\\0')
        os.setxattr(sys.argv[1], 'trusted.note', b'kept')
        END
        }
        facts() {
            stat -c '%a %U:%g' "$1"
            python3 -c 'import os, sys
        for key in sorted(os.listxattr(sys.argv[1])):
            if "overlay" not in key: print(key, os.getxattr(sys.argv[1], key).hex())' "$1"
        }

        """

    @Test func anEditKeepsWhatIsNotItsOwn() throws {
        let ended = try FixLab.run(
            ["bridge-not-persistent"],
            Self.tools + """
                file=/etc/default/lxc-net
                printf '# Mine, \\tkeep it.\\nUSE_LXC_BRIDGE="true"\\nexport FOREIGN="a b"\\nLXC_DHCP_CONFILE=/etc/x\\n# no newline' >$file
                chown 0:4 $file; chmod 640 $file; mark $file; facts $file >/tmp/facts; cp $file /tmp/before; state >/tmp/state
                applied; facts $file | diff /tmp/facts - && echo FACTS
                cmp -s /tmp/before $file || echo edited; diff /tmp/before $file | grep -c '^<'
                run=$(lxc-doctor fix history --format json | sed -n 's/.*"run" : "\\(.*\\)",/\\1/p')
                backup=/var/lib/lxc-doctor/backup/$run$file; cmp $backup /tmp/before && echo BACKUP
                facts $backup | diff /tmp/facts - && echo FACTS; stat -c %a /var/lib/lxc-doctor/backup
                lxc-doctor fix undo --yes --quiet; cmp /tmp/before $file && echo UNDONE
                facts $file | diff /tmp/facts - && echo FACTS; state | diff /tmp/state - && echo SAME
                """)
        // One line is replaced where none but the last had no end: that one gets it.
        #expect(
            ended.lines == ["FACTS", "edited", "1", "BACKUP", "FACTS", "700", "UNDONE", "FACTS", "SAME"],
            "\(ended.output) \(ended.messages)")
    }

    @Test func aRemovedFileComesBackWithItsAccessList() throws {
        let ended = try FixLab.run(
            ["dnsmasq-not-running"],
            Self.tools + """
                # Masked, lxc-net is not started again, which would make the file anew.
                ln -s /dev/null /etc/systemd/system/lxc-net.service
                file=/run/lxc/network_up
                mark $file; facts $file >/tmp/facts; lxc-doctor fix apply --yes --quiet --only host.lxc-net-flag
                [ -e $file ] || echo removed
                lxc-doctor fix undo --yes --quiet; facts $file | diff /tmp/facts - && echo FACTS
                """)
        #expect(ended.lines == ["removed", "FACTS"], "\(ended.output) \(ended.messages)")
    }

    @Test(arguments: [
        ("mv $file /tmp/real; ln -s /tmp/real $file", "symbolic link"),
        ("chown 1000 $file", "does not belong to root alone"), ("chmod 666 $file", "does not belong to root alone"),
    ])
    func anUntrustedFileIsLeftToAPerson(change: String, words: String) throws {
        let ended = try FixLab.run(
            ["bridge-not-persistent"],
            """
            file=/etc/default/lxc-net; lxc-doctor fix plan --format json=/root/plan; \(change); state >/tmp/before
            lxc-doctor fix plan | tr -s ' \\n' ' ' | grep -o '\(words)'
            lxc-doctor fix apply --yes --quiet; echo "apply $?"
            lxc-doctor fix apply --plan /root/plan --yes --format json 2>/dev/null | grep -o '"outcome" : "[a-z]*"'
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        #expect(
            ended.lines == [words, "apply 1", "\"outcome\" : \"refused\"", "SAME"], "\(ended.output) \(ended.messages)")
    }
}

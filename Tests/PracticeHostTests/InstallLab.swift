import TestSupport

/// A practice host whose apt knows one archive, a directory, that holds the package lxc as it was installed there.
enum InstallLab {
    static let functions = #"""
        set -u
        # Packs an installed package again: its files, its fields and its scripts.
        repack() {
            root=/srv/pack; mkdir -p $root/DEBIAN /srv/archive
            dpkg -L lxc | while read -r path; do if [ -L "$path" ] || [ -f "$path" ] && [ ! -d "$path" ]; then echo "${path#/}"; fi; done \
                | tar -C / -cf - --no-recursion -T - | tar -C $root -xf -
            python3 - <<'END'
        stanza = next(s for s in open("/var/lib/dpkg/status").read().split("\n\n") if s.startswith("Package: lxc\n"))
        kept, fields = True, []
        for line in stanza.split("\n"):
            if line[:1] != " ": kept = line.split(":")[0] not in ("Status", "Conffiles")
            if kept: fields.append(line)
        open("/srv/pack/DEBIAN/control", "w").write("\n".join(fields) + "\n")
        END
            for part in preinst postinst prerm postrm conffiles triggers; do
                [ ! -e /var/lib/dpkg/info/lxc.$part ] || cp -a /var/lib/dpkg/info/lxc.$part $root/DEBIAN/$part
            done
            publish
        }
        publish() {
            dpkg-deb --root-owner-group -Znone --build /srv/pack /srv/archive/lxc.deb >/dev/null
            { cat /srv/pack/DEBIAN/control; echo "Filename: ./lxc.deb"; echo "Size: $(stat -c %s /srv/archive/lxc.deb)"
              echo "SHA256: $(sha256sum </srv/archive/lxc.deb | cut -d ' ' -f 1)"; } >/srv/archive/Packages
            rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
            echo 'deb [trusted=yes] file:/srv/archive ./' >/etc/apt/sources.list
            apt-get -qq update
        }
        programs() { rm -f /usr/bin/lxc-*; }
        package() {
            "$(sed -n 's/^ExecStart=//p' /lib/systemd/system/lxc-net.service | cut -d ' ' -f 1)" stop
            systemctl stop lxc-net; ip link del lxcbr1; dpkg --remove --force-depends lxc
        }
        installed() { [ -x /usr/bin/lxc-start ] && lxc-start --version >/dev/null && dpkg --verify lxc | grep -v ' c /' ; [ -z "$(dpkg --audit)" ]; }

        """#

    static func run(_ script: String) throws -> FixLab.Ended {
        let ended = try Program.run(Program.path, ["lab", "run", "--", "bash", "-c", functions + script])
        return FixLab.Ended(
            lines: ended.output.split(separator: "\n").map(String.init), output: ended.output,
            messages: ended.messages, status: ended.status)
    }
}

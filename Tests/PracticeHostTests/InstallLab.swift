import Foundation
import HostModel
import TestSupport
import Testing

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

    /// The same of a host of rpm's: dpkg knows nothing there, and dnf's archive is a web server of its own.
    private static let rpm = #"""
        set -u
        # Debian's rpm has the database elsewhere.
        mkdir -p /etc/rpm /etc/yum.repos.d /srv/archive /srv/tree
        echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
        printf '[practice]\nname=practice\nbaseurl=http://127.0.0.1:8000/\ngpgcheck=0\n' >/etc/yum.repos.d/practice.repo
        # A script of the package that is run once, and is killed then.
        hang() { echo "[ -e /tmp/inside ] || { echo \$\$ >/tmp/inside; sleep 30; }"; }
        build() {
            rpmbuild -bb --define '_topdir /srv/rpm' --define '_rpmdir /srv/archive' --define "_rpmfilename $1.rpm" \
                --define '_build_id_links none' --define '__os_install_post %{nil}' \
                --define '_binary_payload w0.ufdio' /srv/$1.spec >/tmp/rpmbuild 2>&1 || cat /tmp/rpmbuild
        }
        publish() {
            { printf '%s: %s\n' Name lxc Version 5.0.2 Release 1 License LGPL-2.1-or-later Summary 'Linux containers' \
                AutoReqProv no Requires base
              printf '%s\n' %description . %pre "${pre-:}" %post 'systemctl enable lxc-net.service' "${post-:}" \
                'systemctl start lxc-net.service' %install 'cp -a /srv/tree/. %{buildroot}' '%files -f /srv/files'
            } >/srv/lxc.spec
            { printf '%s: %s\n' Name base Version 1 Release 1 License Apache-2.0 Summary 'What every host has' \
                BuildArch noarch Provides /bin/sh
              printf '%s\n' %description . %files; } >/srv/base.spec
            build lxc; build base
            createrepo_c -q /srv/archive; dnf -q clean all
        }
        serve() { setsid python3 -m http.server 8000 --bind 127.0.0.1 --directory /srv/archive >/dev/null 2>&1 & server=$!; }
        # Makes rpms of the installed package, and takes it away.
        repack() {
            dpkg -L lxc | while read -r path; do if [ -L "$path" ] || [ -f "$path" ] && [ ! -d "$path" ]; then echo "${path#/}"; fi; done \
                | tar -C / -cf - --no-recursion -T - | tar -C /srv/tree -xf -
            (cd /srv/tree; find . -type f -path './etc/*' -printf '%%config(noreplace) "/%P"\n'
             find . \( -type f -o -type l \) ! -path './etc/*' -printf '"/%P"\n') >/srv/files
            publish; serve
            "$(sed -n 's/^ExecStart=//p' /lib/systemd/system/lxc-net.service | cut -d ' ' -f 1)" stop
            systemctl stop lxc-net; ip link del lxcbr1; dpkg --remove --force-depends lxc; : >/var/lib/dpkg/status
        }
        package() { :; }
        programs() { dnf -q -y install lxc; rm -f /usr/bin/lxc-*; }
        installed() {
            [ -x /usr/bin/lxc-start ] && lxc-start --version >/dev/null && rpm --query lxc base >/dev/null \
                && [ -z "$(rpm --verify lxc | grep -v ' c /')" ] && systemctl is-enabled lxc-net.service >&2 \
                && ip link show lxcbr1 >&2
        }

        """#

    /// A host that lacked LXC: as it was found, after the repair, and after a boot.
    struct Installed {
        var broken: Report
        var after: Report
        var isSound: Bool
        var booted: Report
    }

    /// `missing`: the function of the script that takes LXC away.
    static func install(_ missing: String, with run: (String) throws -> FixLab.Ended) throws -> Installed {
        let ended = try run(
            #"""
            repack >&2; \#(missing) >&2 2>&1
            lxc-doctor --format json | tr -d '\n'; echo
            lxc-doctor --auto-remediate --yes --format json | tr -d '\n'; echo
            installed && echo INSTALLED
            """# + "\n" + RemedyLoop.functions + "\nreboot >&2; lxc-doctor --format json | tr -d '\\n'")
        try #require(ended.lines.count == 4, "\(ended.output) \(ended.messages)")
        func report(_ line: Int) throws -> Report {
            try JSONDecoder().decode(Report.self, from: Data(ended.lines[line].utf8))
        }
        return Installed(
            broken: try report(0), after: try report(1), isSound: ended.lines[2] == "INSTALLED",
            booted: try report(3))
    }

    /// Kills the installation at every instant. `missing`: the same.
    static func kill(_ missing: String, with run: (String) throws -> FixLab.Ended) throws -> CrashPoints.Result {
        let script = try String(contentsOf: CrashPoints.tool, encoding: .utf8)
        let ended = try run(
            """
            repack >&2; \(missing) >&2
            cat >/tmp/crash-points <<'END-OF-TOOL'
            \(script)
            END-OF-TOOL
            python3 /tmp/crash-points "--reset=rm -f /usr/bin/lxc-*" host.lxc-installed
            """)
        #expect(ended.status == 0, "\(ended.messages)")
        let result = try JSONDecoder().decode(CrashPoints.Result.self, from: Data((ended.lines.last ?? "").utf8))
        #expect(result.points >= 22 && result.before > 5 && result.after > 5, "\(result)")
        return result
    }

    static func run(_ script: String) throws -> FixLab.Ended {
        try run(functions + script, options: [])
    }

    static func runWithRPM(_ script: String) throws -> FixLab.Ended {
        try run(rpm + script, options: ["--layer", "dnf"])
    }

    private static func run(_ script: String, options: [String]) throws -> FixLab.Ended {
        let ended = try Program.run(Program.path, ["lab", "run"] + options + ["--", "bash", "-c", script])
        return FixLab.Ended(
            lines: ended.output.split(separator: "\n").map(String.init), output: ended.output,
            messages: ended.messages, status: ended.status)
    }
}

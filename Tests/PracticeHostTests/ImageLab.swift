import TestSupport

/// Archives of base images, good and hostile, and the servers that they are fetched from, on practice hosts.
enum ImageLab {
    static let name = "makina-states-trusty"
    static let path = "/var/lib/lxc/\(name)"
    static let archive = "/srv/images/\(name)-lxc-25.tar.xz"

    /// `tree DIR`: what the makina archive holds, in the keys of its time. `pack DIR FILE`. `profile SOURCE SUM [LINE]`:
    /// the operator's own, which wants the image from there. `absent`: neither the image nor anything of it is there.
    static let functions = #"""
        set -u
        name=makina-states-trusty
        rm -rf /var/lib/lxc/$name*
        archive=/srv/images/$name-lxc-25.tar.xz
        mkdir -p /srv/images /etc/lxc-doctor
        tree() {
            mkdir -p "$1"/rootfs/{root,bin,sbin,usr,etc,var,dev,shared}
            printf '#!/bin/sh\n' >"$1/rootfs/sbin/init"; chmod 4755 "$1/rootfs/sbin/init"
            ln "$1/rootfs/sbin/init" "$1/rootfs/sbin/second"; ln -s /etc/passwd "$1/rootfs/etc/link"
            printf 'root:x:0:0::/root:/bin/sh\nalice:x:4321:4321::/:/bin/sh\n' >"$1/rootfs/etc/passwd"
            printf 'root:x:0:\ncrew:x:77:\n' >"$1/rootfs/etc/group"
            chown 4321:77 "$1/rootfs/shared"
            python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.note", b"kept")' "$1/rootfs/etc/passwd"
            mknod "$1/rootfs/dev/sda" b 8 0; mknod "$1/rootfs/dev/mem" c 1 1; mkfifo "$1/rootfs/dev/initctl"
            printf '%s\n' 'lxc.utsname = old' 'lxc.rootfs = /var/lib/lxc/old/rootfs' 'lxc.mount = /var/lib/lxc/old/fstab' \
                'lxc.network.type = veth' 'lxc.network.link = lxcbr0' 'lxc.network.flags = up' '# kept' >"$1/config"
            : >"$1/fstab"
            printf '%s\n' '# file: shared' '# owner: alice' '# group: crew' user::rwx user:alice:rwx group::r-x \
                group:crew:r-- mask::rwx other::r-x default:user::rwx default:group::r-x default:other::--- '' \
                '# file: etc/link' user::rwx user:alice:rwx group::r-x mask::rwx other::r-x '' >"$1/acls.txt"
        }
        pack() { tar -C "$1" -cJf "$2" --xattrs --numeric-owner .; }
        sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
        profile() {
            printf '%s\n' 'name: own' 'networks:' '  - { bridge: lxcbr1, address: 10.5.0.1/16 }' \
                "image: { name: $name, wanted: required, source: \"$1\", $2 }" "${3:-minimumFreeBytes: 1000000}" \
                >/etc/lxc-doctor/profile.yaml
        }
        good() { tree /srv/tree; pack /srv/tree "$archive"; profile "$archive" "sha256: $(sum "$archive")"; }
        absent() {
            [ ! -e "/var/lib/lxc/$name" ] && [ -z "$(ls -A /var/lib/lxc)" ] && ! pgrep -x 'tar|xz|find' >/dev/null
        }
        restore() { lxc-doctor fix apply image --yes --proof off --format json; }

        """#

    static func run(_ script: String, options: [String] = []) throws -> FixLab.Ended {
        let ended = try Program.run(
            Program.path, ["lab", "run"] + options + ["--", "bash", "-c", functions + script])
        return FixLab.Ended(
            lines: ended.output.split(separator: "\n").map(String.init), output: ended.output,
            messages: ended.messages, status: ended.status)
    }
}

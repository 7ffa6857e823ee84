import Testing

@Suite("Building a layer", .serialized, .enabled(if: BuiltProgram.isRoot))
struct LayerTests {
    /// The whole building runs in a copy of the machine in which systemd seems to run and every program that starts
    /// services writes its arguments to a file; what it wrote would be packed into the layer, or lie in the copy.
    @Test("starts and enables nothing on a machine that systemd runs")
    func startsNothing() {
        let result = BuiltProgram.shell(
            #"""
            work=$(mktemp -d)
            unshare --mount --propagation private sh -ec '
            work=$2
            mount -t tmpfs work $work
            mkdir $work/upper $work/work $work/root
            mount -t overlay root -o lowerdir=/,upperdir=$work/upper,workdir=$work/work $work/root
            cd $work/root
            mount --rbind /proc proc; mount --rbind /dev dev; mount --rbind /sys sys; mount -t tmpfs run run
            mkdir -p run/systemd/system usr/share/calls
            for name in usr/bin/systemctl usr/bin/deb-systemd-invoke usr/sbin/service; do
                rm -f $name
                printf "%s\n" "#!/bin/sh" "echo $name \$* >> /usr/share/calls/log" > $name
                chmod 755 $name
            done
            LXC_DOCTOR_LAYERS=/layers chroot . "$1" lab layers lxc > /dev/null
            test -s layers/lxc.squashfs && echo built
            cat usr/share/calls/log 2>/dev/null || true
            # deb-systemd-helper asks for the preset by files alone.
            unsquashfs -cat layers/lxc.squashfs usr/share/calls/log | grep -v -e "--root=/ .* preset " || true
            unsquashfs -l layers/lxc.squashfs | grep -E "policy-rc.d|resolv.conf|var/lib/apt" || true
            unsquashfs -l layers/lxc.squashfs | grep -o multi-user.target.wants/lxc-net.service
            unsquashfs -l layers/lxc.squashfs | grep -o pattern/rootfs/bin/busybox
            find run/lxc run/systemd/system -mindepth 1 2>/dev/null || true
            ' sh "$1" $work
            status=$?
            rmdir $work
            exit $status
            """#, BuiltProgram.path)
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(
            lines == ["built", "multi-user.target.wants/lxc-net.service", "pattern/rootfs/bin/busybox"],
            "\(result.output)\(result.errors)")
    }

    @Test("does not install on the machine, and builds nothing twice")
    func current() {
        _ = BuiltProgram.layers
        let packages = BuiltProgram.shell("dpkg-query -W").output
        let result = BuiltProgram.run([BuiltProgram.path, "lab", "layers", "lxc"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.milliseconds < 1000)
        #expect(BuiltProgram.shell("dpkg-query -W").output == packages)
    }

    @Test("needs root, and knows its layers")
    func refusals() {
        let unprivileged = BuiltProgram.run([
            "setpriv", "--reuid", "65534", "--clear-groups", BuiltProgram.path, "lab", "layers", "lxc",
        ])
        #expect(unprivileged.status == 77)
        let unknown = BuiltProgram.run([BuiltProgram.path, "lab", "layers", "nosuch"])
        #expect(unknown.status == 64)
        #expect(unknown.errors.contains("iptables-persistent"))
    }
}

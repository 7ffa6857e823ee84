/// The keys of container configurations. Source: lxc.container.conf(5), lxc-update-config(1).
enum LXCKeys {
    static let network: Set<String> = [
        "type", "flags", "link", "l2proxy", "mtu", "name", "hwaddr", "ipv4.address", "ipv4.gateway", "ipv6.address",
        "ipv6.gateway", "script.up", "script.down", "vlan.id", "macvlan.mode", "ipvlan.mode", "ipvlan.isolation",
        "veth.mode", "veth.pair", "veth.ipv4.route", "veth.ipv6.route", "veth.n_rxqueues", "veth.n_txqueues",
        "veth.vlan.id", "veth.vlan.tagged.id",
    ]
    static let networkTypes: Set<String> = ["empty", "none", "veth", "vlan", "macvlan", "ipvlan", "phys"]

    /// Keys of LXC 1 and 2 that LXC 3 refuses, and those below which every key is one.
    private static let legacy: Set<String> = [
        "lxc.network", "lxc.rootfs", "lxc.rootfs.backend", "lxc.mount", "lxc.utsname", "lxc.tty", "lxc.pts",
        "lxc.devttydir", "lxc.kmsg", "lxc.aa_profile", "lxc.aa_allow_incomplete", "lxc.se_context", "lxc.id_map",
        "lxc.loglevel", "lxc.logfile", "lxc.pivotdir", "lxc.seccomp", "lxc.console", "lxc.haltsignal",
        "lxc.rebootsignal", "lxc.stopsignal", "lxc.init_cmd", "lxc.init_uid", "lxc.init_gid", "lxc.syslog",
    ]

    static func isLegacy(_ key: String) -> Bool {
        legacy.contains(key) || key.hasPrefix("lxc.network.") || key.hasPrefix("lxc.limit.")
    }

    private static let exact: Set<String> = [
        "lxc.apparmor.profile", "lxc.apparmor.allow_incomplete", "lxc.apparmor.allow_nesting", "lxc.apparmor.raw",
        "lxc.arch", "lxc.autodev", "lxc.autodev.tmpfs.size", "lxc.cap.drop", "lxc.cap.keep", "lxc.console.buffer.size",
        "lxc.console.logfile", "lxc.console.path", "lxc.console.rotate", "lxc.console.size", "lxc.environment",
        "lxc.environment.runtime", "lxc.environment.hooks", "lxc.ephemeral", "lxc.execute.cmd", "lxc.group",
        "lxc.hook", "lxc.idmap", "lxc.include", "lxc.init.cmd", "lxc.init.cwd", "lxc.init.gid", "lxc.init.groups",
        "lxc.init.uid", "lxc.keyring.session", "lxc.log.file", "lxc.log.level", "lxc.log.syslog",
        "lxc.monitor.signal.pdeath", "lxc.monitor.unshare", "lxc.mount.auto", "lxc.mount.entry", "lxc.mount.fstab",
        "lxc.namespace.clone", "lxc.namespace.keep", "lxc.no_new_privs", "lxc.pty.max", "lxc.rootfs.managed",
        "lxc.rootfs.mount", "lxc.rootfs.options", "lxc.rootfs.path", "lxc.sched.core", "lxc.seccomp.allow_nesting",
        "lxc.seccomp.notify.cookie", "lxc.seccomp.notify.proxy", "lxc.seccomp.profile", "lxc.selinux.context",
        "lxc.selinux.context.keyring", "lxc.signal.halt", "lxc.signal.reboot", "lxc.signal.stop", "lxc.start.auto",
        "lxc.start.delay", "lxc.start.order", "lxc.time.offset.boot", "lxc.time.offset.monotonic", "lxc.tty.dir",
        "lxc.tty.max", "lxc.uts.name", "lxc.cgroup", "lxc.cgroup2", "lxc.prlimit", "lxc.sysctl", "lxc.proc",
    ]
    private static let families = [
        "lxc.cgroup.", "lxc.cgroup2.", "lxc.hook.", "lxc.namespace.share.", "lxc.prlimit.", "lxc.proc.", "lxc.sysctl.",
    ]

    static func isKnown(_ key: String) -> Bool {
        exact.contains(key) || families.contains { key.hasPrefix($0) }
    }
}

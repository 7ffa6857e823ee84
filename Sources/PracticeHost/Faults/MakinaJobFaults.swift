/// The start-up job of old makina hosts, in its own shape: a guard, a shared flag, brctl and ifconfig.
private func jobBody(guardValue: String) -> String {
    """
    USE_LXC_BRIDGE="\(guardValue)"
    LXC_MAKINA_BRIDGE="{bridge}"
    LXC_MAKINA_ADDR="{address}"
    LXC_MAKINA_NETMASK="{netmask}"
    LXC_MAKINA_NETWORK="{network}"
    varrun="/var/run/lxc"
    """
}

private let jobStart = """
    [ -f /etc/default/lxc ] && . /etc/default/lxc
    [ "x$USE_LXC_BRIDGE" = "xtrue" ] || exit 0
    if [ -d /sys/class/net/${LXC_MAKINA_BRIDGE} ]; then
        exit 0
    fi
    brctl addbr ${LXC_MAKINA_BRIDGE} || exit 1
    echo 1 > /proc/sys/net/ipv4/ip_forward
    mkdir -p ${varrun}
    ifconfig ${LXC_MAKINA_BRIDGE} ${LXC_MAKINA_ADDR} netmask ${LXC_MAKINA_NETMASK} up
    iptables -t nat -A POSTROUTING -s ${LXC_MAKINA_NETWORK} ! -d ${LXC_MAKINA_NETWORK} -j MASQUERADE
    touch ${varrun}/network_up
    """

private func systemdJob(guardValue: String) -> [FaultStep] {
    [
        .write("/usr/bin/lxc-net-makina.sh", "#!/bin/sh\n\(jobBody(guardValue: guardValue))\n\(jobStart)\n"),
        .write(
            "/etc/systemd/system/lxc-net-makina.service",
            """
            [Unit]
            Description=LXC makina network
            Before=lxc.service

            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/usr/bin/lxc-net-makina.sh start

            [Install]
            WantedBy=multi-user.target

            """),
        .link(
            "/etc/systemd/system/multi-user.target.wants/lxc-net-makina.service",
            to: "/etc/systemd/system/lxc-net-makina.service"),
    ]
}

private func upstartJob(guardValue: String) -> String {
    let environment = jobBody(guardValue: guardValue).split(separator: "\n").map { "env \($0)\n" }.joined()
    return "start on starting lxc\nstop on stopped lxc\n\n\(environment)\npre-start script\n\(jobStart)\nend script\n"
}

/// The job and not lxc-net makes the bridge; the settings that both read leave the switch alone or set it.
private func lxcNetOff(_ settings: String) -> [FaultStep] {
    [
        .write("/etc/default/lxc", "LXC_AUTO=\"true\"\n\n[ ! -f /etc/default/lxc-net ] || . /etc/default/lxc-net\n"),
        .write("/etc/default/lxc-net", settings), .remove(lxcNetWanted),
    ]
}

private let lxcNetNotInstalled = FaultStep.run([
    "sh", "-c", "rm -f /lib/systemd/system/lxc-net.service /etc/init.d/lxc-net /etc/rc?.d/*lxc-net",
])

/// What tells a host of upstart: its init, and no systemd that runs.
private let bootsWithUpstart: [FaultStep] = [
    .write("/sbin/upstart", "#!/bin/sh\n"), .link("/sbin/init", to: "upstart"),
    .run(["rm", "-rf", "/run/systemd/system"]),
]

let makinaJobFaults: [Fault] = [
    Fault(
        "makina-job-guard", "The makina job compares True with true and does nothing",
        [
            FaultVariant(
                "systemd", "A unit runs the job", profiles: [.makina],
                systemdJob(guardValue: "True") + lxcNetOff("# Nothing set here.\n")),
            FaultVariant(
                "without-lxc-net", "A unit runs the job, and lxc-net is not installed", profiles: [.makina],
                systemdJob(guardValue: "True") + lxcNetOff("# Nothing set here.\n") + [lxcNetNotInstalled]),
            FaultVariant(
                "upstart", "The host boots with upstart, which runs the job of the old recipe", profiles: [.makina],
                [.write("/etc/init/lxc-net-makina.conf", upstartJob(guardValue: "True"))]
                    + lxcNetOff("# Nothing set here.\n") + [lxcNetNotInstalled] + bootsWithUpstart),
        ]),
    Fault(
        "makina-job-inert", "The makina job is for an init system that does not run",
        [
            FaultVariant(
                "alone", "An upstart job under systemd, and nothing else makes the bridge", profiles: [.makina],
                [.write("/etc/init/lxc-net-makina.conf", upstartJob(guardValue: "true"))]
                    + lxcNetOff("USE_LXC_BRIDGE=\"true\"\n")),
            FaultVariant(
                "beside", "An upstart job under systemd, beside an enabled lxc-net", profiles: [.makina],
                [.write("/etc/init/lxc-net-makina.conf", upstartJob(guardValue: "true"))]),
            FaultVariant(
                "old-recipe", "The job of the old recipe, whose guard is wrong besides", profiles: [.makina],
                [.write("/etc/init/lxc-net-makina.conf", upstartJob(guardValue: "True"))]
                    + lxcNetOff("# Nothing set here.\n")),
        ]),
    Fault(
        "makina-job-tools-missing", "The makina job needs brctl and ifconfig, which are not there",
        [
            FaultVariant(
                "both", "Neither is installed", profiles: [.makina],
                systemdJob(guardValue: "true") + lxcNetOff("USE_LXC_BRIDGE=\"true\"\n")
                    + [
                        .attempt(["rm", "-f", "/sbin/brctl", "/usr/sbin/brctl", "/sbin/ifconfig", "/usr/sbin/ifconfig"])
                    ])
        ]),
    Fault(
        "makina-shares-network-up", "The makina job and lxc-net share one flag file",
        [
            FaultVariant(
                "both-enabled", "Both start at boot", profiles: [.makina], systemdJob(guardValue: "true"))
        ]),
]

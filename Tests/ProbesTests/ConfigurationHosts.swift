import HostAccess
import HostModel

@testable import Probes

/// Literal hosts that the configuration tests start from.
enum ConfigurationHosts {
    static let debianLXC =
        "USE_LXC_BRIDGE=\"false\"  # overridden in lxc-net\n\n[ ! -f /etc/default/lxc-net ] || . /etc/default/lxc-net\n"
    static let makinaValues = """
        USE_LXC_BRIDGE="true"
        LXC_BRIDGE="lxcbr1"
        LXC_ADDR="10.5.0.1"
        LXC_NETMASK="255.255.0.0"
        LXC_NETWORK="10.5.0.0/16"
        LXC_DHCP_RANGE="10.5.0.2,10.5.255.254"
        LXC_DHCP_MAX="65533"

        """
    static let lxcNetUnit =
        "[Unit]\nAfter=network-online.target\nBefore=lxc.service\n[Install]\nWantedBy=multi-user.target\n"
    static let nftablesUnit = """
        [Unit]
        Before=network-pre.target shutdown.target
        DefaultDependencies=no
        [Service]
        ExecStart=/usr/sbin/nft -f /etc/nftables.conf
        [Install]
        WantedBy=sysinit.target

        """
    static let job = """
        start on starting lxc
        env USE_LXC_BRIDGE="True"
        env LXC_MAKINA_BRIDGE="lxcbr1"
        env LXC_MAKINA_ADDR="10.5.0.1"
        env LXC_MAKINA_NETMASK="255.255.0.0"
        env LXC_MAKINA_NETWORK="10.5.0.0/16"
        env varrun="/var/run/lxc"
        pre-start script
            [ -f /etc/default/lxc ] && . /etc/default/lxc
            [ "x$USE_LXC_BRIDGE" = "xtrue" ] || { stop; exit 0; }
            brctl addbr ${LXC_MAKINA_BRIDGE} || { echo "Missing bridge support in kernel"; stop; exit 0; }
            ifconfig ${LXC_MAKINA_BRIDGE} ${LXC_MAKINA_ADDR} netmask ${LXC_MAKINA_NETMASK} up
            touch ${varrun}/network_up
        end script

        """

    /// Debian 12 with lxc-net on makina's values, enabled and effective.
    static func healthy() -> FileTreeHost {
        FileTreeHost([
            "/run/systemd/system/": "", "/etc/default/lxc": debianLXC, "/etc/default/lxc-net": makinaValues,
            "/usr/libexec/lxc/lxc-net": "#!/bin/sh -\n\ndistrosysconfdir=\"/etc/default\"\nvarrun=\"/run/lxc\"\n",
            "/usr/lib/systemd/system/lxc-net.service": lxcNetUnit, "/usr/sbin/nft": "",
            "/etc/systemd/system/multi-user.target.wants/lxc-net.service": "-> /usr/lib/systemd/system/lxc-net.service",
        ])
    }

    static func upstart() -> FileTreeHost {
        FileTreeHost([
            "/sbin/upstart": "", "/sbin/initctl": "", "/etc/init/lxc-net-makina.conf": job, "/sbin/brctl": "",
            "/sbin/ifconfig": "", "/etc/default/lxc": "USE_LXC_BRIDGE=\"true\"\n",
        ])
    }

    static func enable(_ name: String, unit: String, on host: FileTreeHost) {
        host.set("/usr/lib/systemd/system/\(name).service", unit)
        host.set(
            "/etc/systemd/system/multi-user.target.wants/\(name).service", "-> /usr/lib/systemd/system/\(name).service")
    }
}

/// The facts of a probe; and that each is in its specification, with the type it says.
func facts(
    _ probe: any Probe, _ parameters: [String: String] = [:], on host: any Host
) throws -> [String: FactValue] {
    let values = parameters.mapValues(FactValue.string)
    let observation = try probe.observe(ProbeParameters(values), on: host)
    for (name, value) in observation.facts {
        let type: FactType =
            switch value {
            case .string: .string
            case .integer: .integer
            case .boolean: .boolean
            case .strings: .strings
            }
        guard probe.specification.facts[name] == type else {
            throw ObservationFailure.unknown("fact \(name) is not as specified")
        }
    }
    guard !observation.evidence(for: Set(observation.facts.keys)).isEmpty else {
        throw ObservationFailure.unknown("no evidence")
    }
    return observation.facts
}

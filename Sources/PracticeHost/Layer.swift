/// Packages that bring a service or a firewall, unpacked into an image that a practice host mounts under its root. They
/// are never installed on the machine.
package struct Layer: Sendable, Hashable {
    package var name: String
    package var packages: [String]
    /// Layers below this one.
    package var over: [String]
    /// Whether the image also holds a container made by lxc-create, for practice hosts to copy.
    var holdsContainer: Bool

    init(_ name: String, packages: [String], over: [String] = ["lxc"], holdsContainer: Bool = false) {
        self.name = name
        self.packages = packages
        self.over = over
        self.holdsContainer = holdsContainer
    }

    /// Every layer that can be built; one that stands on another comes after it.
    package static let all: [Layer] = [
        Layer(
            "lxc",
            packages: [
                "lxc", "dnsmasq-base", "nftables", "iptables", "iproute2", "bridge-utils", "net-tools", "procps",
                "busybox-static", "tcpdump",
            ], over: [], holdsContainer: true),
        Layer("ufw", packages: ["ufw"]),
        Layer("firewalld", packages: ["firewalld", "dbus"]),
        Layer("shorewall", packages: ["shorewall"]),
        Layer("iptables-persistent", packages: ["iptables-persistent"]),
        Layer("docker", packages: ["docker.io"]),
        Layer("netplan", packages: ["netplan.io"]),
        Layer("ifupdown", packages: ["ifupdown"]),
        Layer("network-manager", packages: ["network-manager", "dbus"]),
        // A package manager of another family, and what makes packages and an archive for it.
        Layer("dnf", packages: ["dnf", "rpm", "createrepo-c"]),
        // What runs exported plans.
        Layer("ansible", packages: ["ansible-core"]),
        Layer("prometheus", packages: ["prometheus"]),
        Layer("node-exporter", packages: ["prometheus-node-exporter"]),
        Layer("icinga2", packages: ["icinga2-bin", "icinga2-common"]),
    ]

    static func named(_ name: String) throws(PracticeHostError) -> Layer {
        guard let layer = all.first(where: { $0.name == name }) else {
            let known = all.map(\.name)
            throw .usage("unknown layer `\(name)`; known are \(known.joined(separator: ", "))")
        }
        return layer
    }

    /// Changes when what an image holds would.
    var recipe: String {
        "1 \(name): \(packages.joined(separator: " ")) over \(over.joined(separator: " "))\(holdsContainer ? " +c" : "")"
    }
}

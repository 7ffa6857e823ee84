internal import BuiltInCatalog
internal import CheckCatalog
internal import HostModel

/// Values for texts that speak of no particular host: those of the profile `makina`, and a container `web`.
enum ExampleValues {
    static let profile = "makina"

    private static let variables: Variables = {
        guard case .fixed(let profile)? = BuiltIn.profiles().first(where: { $0.name == profile })?.values else {
            return Variables()
        }
        let chosen = ChosenProfile(profile: profile, because: "", supported: true, otherBridges: [])
        return profile.networks.prefix(1).reduce(Variables(chosen, hostname: "host")) { $0.adding($1) }
            .adding(container: "web")
    }()

    /// What checks might have found; where nothing stands here, the container.
    private static let found = [
        "down": "vethweb", "isolated": "vethweb", "leftovers": "vethold", "plugs": "vethweb",
        "directory": "/var/lib/lxc/default", "ways": "203.0.113.1", "container": "10.5.0.9", "cards": "eth1",
        "uplink": "eth0", "config": "/var/lib/lxc/web/config",
    ]
    private static let details = ["plugs": "lxcbr1", "ways": "eth0", "down": "eth0"]

    static func fill(_ text: String) -> String {
        var variables = variables
        do {
            for name in try Template.names(in: text) {
                guard let fact = FactName(name) else { continue }
                let value =
                    switch fact.part {
                    case .found: found[fact.fact] ?? "web"
                    case .detail: details[fact.fact] ?? "eth0"
                    case .inside: "lxc-attach -n web --"
                    case .command: "# on a host that has it: lxc-doctor names the command"
                    }
                variables.values[name] = .string(value)
            }
        } catch {
            // A text that is no template stays as it is; the catalog's tests look for those.
            return text
        }
        return Template.render(text, variables)
    }
}

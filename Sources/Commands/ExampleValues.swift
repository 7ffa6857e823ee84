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

    static func fill(_ text: String) -> String { Template.render(text, variables) }
}

import BuiltInCatalog
import CheckCatalog
import HostModel

@testable import Diagnosis

enum Fixtures {
    /// The makina profile, with a directory and room as it is built in.
    static let makina: ChosenProfile = {
        for entry in BuiltIn.profiles() {
            if case .fixed(let profile) = entry.values, entry.name == "makina" {
                return ChosenProfile(profile: profile, because: "test", supported: true, otherBridges: ["docker0"])
            }
        }
        fatalError("there is no profile makina")
    }()
}

import BuiltInCatalog
import CheckCatalog
import HostModel
import Probes
import Testing

/// The built-in catalog as a whole.
@Suite struct CatalogTests {
    @Test func checksAndCausesFitTogether() {
        #expect(CatalogValidation.problems(of: BuiltIn.checks(), causes: BuiltIn.causes()) == [])
    }

    @Test(arguments: BuiltIn.checks().map(\.id)) func fitsItsProbe(_ id: String) throws {
        let check = try #require(BuiltIn.checks().first { $0.id == id })
        #expect(CatalogValidation.problems(of: check, probes: Vocabulary.probes) == [])
    }

    /// A command names only what a check with that cause can find.
    @Test(arguments: BuiltIn.causes().filter { !$0.isDocumentedOnly }.map(\.id))
    func commandsNameWhatIsFound(_ id: String) throws {
        let entry = try #require(BuiltIn.causes().first { $0.id == id })
        let checks = BuiltIn.checks().filter { $0.causes.contains { $0.id == id } }
        #expect(CatalogValidation.factProblems(of: entry, by: checks, probes: Vocabulary.probes) == [])
    }

    /// Words in a command that stand for what only its reader would know.
    static let placeholders: Set<String> = [
        "ADDRESS", "BRIDGE", "CARD", "CONFIG", "CONTAINER", "FILE", "GATEWAY", "INTERFACE", "LENGTH", "LINK", "NAME",
        "NETWORK",
        "OLD", "PORT", "PREFIX", "TABLE", "UPLINK", "USER", "VETH",
    ]

    /// What is printed can be typed as it stands. A cause that nothing on a host shows may leave a word to its reader.
    @Test(arguments: BuiltIn.causes().filter { !$0.isDocumentedOnly }.map(\.id))
    func commandsHaveNoPlaceholders(_ id: String) throws {
        let entry = try #require(BuiltIn.causes().first { $0.id == id })
        for command in entry.commands + entry.owners.values.joined() {
            let words = Set(command.split { !($0.isLetter || $0.isNumber || "_-".contains($0)) }.map(String.init))
            #expect(words.isDisjoint(with: Self.placeholders), "\(command)")
        }
    }

    /// A real probe keeps to the vocabulary; it may give more facts.
    @Test(arguments: Vocabulary.probes) func realProbesKeepToTheVocabulary(_ wanted: ProbeSpecification) {
        guard let real = allProbes.first(where: { $0.specification.name == wanted.name }) else { return }
        #expect(real.specification.parameters == wanted.parameters)
        for (name, type) in wanted.facts {
            #expect(real.specification.facts[name] == type, "\(wanted.name): \(name)")
        }
    }

    /// With nothing in the profile but what it must have.
    @Test(arguments: BuiltIn.checks().map(\.id)) func hasAWholeTitleOnEveryHost(_ id: String) throws {
        let check = try #require(BuiltIn.checks().first { $0.id == id })
        let network = try #require(Fixtures.makina.profile.networks.first)
        let variables = Variables(Fixtures.makina, hostname: "host").adding(network).adding(container: "c1")
        for name in try Template.names(in: check.title) {
            #expect(variables[name]?.description.isEmpty == false, "\(id): {{\(name)}} is empty")
        }
    }

    @Test(arguments: BuiltIn.causes().filter { !$0.isDocumentedOnly }.map(\.id)) func isNamedByACheck(_ id: String) {
        #expect(BuiltIn.checks().contains { $0.causes.contains { $0.id == id } }, "no check speaks for \(id)")
    }

    @Test(arguments: BuiltIn.causes().map(\.id)) func canBeExplained(_ id: String) throws {
        let cause = try #require(BuiltIn.causes().first { $0.id == id })
        for text in [cause.title, cause.explanation, cause.symptom, cause.why, cause.look, cause.fix] {
            #expect(text.split(separator: " ").count >= 3, "\(cause.id): \"\(text)\"")
        }
    }
}

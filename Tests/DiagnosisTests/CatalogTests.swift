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

    @Test(arguments: BuiltIn.checks()) func fitsItsProbe(_ check: Check) {
        #expect(CatalogValidation.problems(of: check, probes: Vocabulary.probes) == [])
    }

    /// A real probe keeps to the vocabulary; it may give more facts.
    @Test(arguments: Vocabulary.probes) func realProbesKeepToTheVocabulary(_ wanted: ProbeSpecification) {
        guard let real = allProbes.first(where: { $0.specification.name == wanted.name }) else { return }
        #expect(real.specification.parameters == wanted.parameters)
        for (name, type) in wanted.facts {
            #expect(real.specification.facts[name] == type, "\(wanted.name): \(name)")
        }
    }

    @Test(arguments: BuiltIn.causes()) func isNamedByACheck(_ cause: CauseEntry) {
        #expect(
            BuiltIn.checks().contains { $0.causes.contains { $0.id == cause.id } }, "no check speaks for \(cause.id)")
    }

    @Test(arguments: BuiltIn.causes()) func canBeExplained(_ cause: CauseEntry) {
        for text in [cause.title, cause.explanation, cause.symptom, cause.why, cause.look, cause.fix] {
            #expect(text.split(separator: " ").count >= 3, "\(cause.id): \"\(text)\"")
        }
    }
}

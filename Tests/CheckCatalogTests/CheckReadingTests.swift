import CheckCatalog
import HostModel
import Testing

@Suite struct CheckReadingTests {
    static let good = """
        id: nat.masquerade
        title: All of {{network.cidr}} is translated
        severity: critical
        tags: [nat]
        needs: [bridge.address]
        rationale: Because nobody knows {{ network.cidr }}.
        applies: { network.nat: { oneOf: [masquerade, snat] } }
        notApplicable: nat is {{network.nat}}
        observe: { source-translation: { network: "{{network.cidr}}" } }
        unknownWhen: { defect: { equals: undecided } }
        expect: { translated: { equals: all } }
        show: [rule]
        causes:
          - { id: masq-shadowed, when: { defect: { equals: shadowed } }, remedy: none, severity: warning, all: true }
          - { id: masq-missing }
        references: [x]

        """

    private func read(_ text: String) throws(CatalogError) -> Check {
        try Check.read(Array(text.utf8), file: "c.yaml")
    }

    @Test func readsEveryField() throws {
        let check = try read(Self.good)
        #expect(check.id == "nat.masquerade")
        #expect(check.area == .nat)
        #expect(check.subject == .network)
        #expect(check.needs == ["bridge.address"])
        #expect(check.applies == .fact("network.nat", .oneOf([.string("masquerade"), .string("snat")])))
        #expect(check.probe == "source-translation")
        #expect(check.parameters == ["network": .string("{{network.cidr}}")])
        #expect(check.expect == .fact("translated", .equals(.string("all"))))
        #expect(
            check.causes == [
                CauseRule(
                    id: "masq-shadowed", when: .fact("defect", .equals(.string("shadowed"))), remedy: "none",
                    severity: .warning, all: true), CauseRule(id: "masq-missing"),
            ])
    }

    /// What is replaced in the good file, by what, and the error.
    @Test(arguments: [
        ("severity:", "severty:", "c.yaml:3:1: unknown key \"severty\"; did you mean \"severity\"?"),
        ("tags:", "tag:", "c.yaml:4:1: unknown key \"tag\"; did you mean \"tags\"?"),
        (
            "critical", "crtical",
            "c.yaml:3:11: severity must be one of notice, warning, critical, not \"crtical\"; did you mean \"critical\"?"
        ),
        ("[nat]", "nat", "c.yaml:4:7: tags must be a sequence ([a, b] or lines that begin with \"-\"), not \"nat\""),
        ("[nat]", "[[nat]]", "c.yaml:4:8: an item of tags must be text, not a sequence"),
        (
            "title: All of {{network.cidr}}", "title: All of {{network.cdir}}",
            "c.yaml:2:8: unknown variable {{network.cdir}}; did you mean \"network.cidr\"?"
        ),
        ("of {{network.cidr}}", "of {{network.cidr", "c.yaml:2:8: \"{{\" without \"}}\""),
        (
            "equals: all", "equal: all",
            "c.yaml:11:25: unknown predicate \"equal\" (of equals, notEquals, oneOf, contains, matches, atLeast, "
                + "atMost, exists, count, all, any, none); did you mean \"equals\"?"
        ),
        ("{ equals: all }", "all", "c.yaml:11:23: a predicate is { equals: value } or the like, not \"all\""),
        (
            "id: nat.masquerade", "id: masquerade",
            "c.yaml:1:5: an id is area.kebab-name, such as bridge.exists, not \"masquerade\""
        ),
        (
            "id: nat.masquerade", "id: nta.masquerade",
            "c.yaml:1:5: unknown area \"nta\" (of bridge, container, forwarding, nat, firewall, path, host); "
                + "did you mean \"nat\"?"
        ),
        (
            "network.nat: {", "network.net: {",
            "c.yaml:7:12: unknown variable network.net; did you mean \"network.nat\"?"
        ),
        ("all: true", "all: yes", "c.yaml:14:104: all must be true or false, not \"yes\""),
        ("id: masq-missing", "id: Masq", "c.yaml:15:11: a cause's id is kebab-case, such as bridge-down, not \"Masq\""),
        (
            "observe: { source-translation: { network: \"{{network.cidr}}\" } }", "observe: { a: {}, b: {} }",
            "c.yaml:9:10: observe must name exactly one probe: { probe: { parameter: value } }"
        ),
        ("expect: { translated: { equals: all } }\n", "", "c.yaml:1:1: the key \"expect\" is missing"),
        (
            "expect: { translated: { equals: all } }", "expect: { translated: { atLeast: many } }",
            "c.yaml:11:34: atLeast must be a whole number, not \"many\""
        ),
        (
            "expect: { translated: { equals: all } }", "expect: { any: [] }",
            "c.yaml:11:16: any needs at least one condition"
        ),
        ("title: All of {{network.cidr}} is translated", "title:", "c.yaml:2:7: title must be text, not nothing"),
    ]) func saysWhatIsWrongAndWhere(_ old: String, _ new: String, _ message: String) throws {
        let parts = Self.good.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        do {
            _ = try read(parts.joined(separator: new))
            Issue.record("it was read")
        } catch {
            #expect(error.description == message)
        }
    }

    @Test func aHostCheckHasNoNetwork() {
        let text = Self.good + "subject: host\n"
        #expect(throws: CatalogError.self) { try read(text) }
    }

    static let probe = ProbeSpecification(
        name: "source-translation", summary: "", parameters: ["network": .string],
        facts: ["translated": .string, "defect": .string, "rule": .string, "count": .integer, "makers": .strings])

    @Test func fitsItsProbe() throws {
        #expect(CatalogValidation.problems(of: try read(Self.good), probes: [Self.probe]) == [])
    }

    @Test(arguments: [
        ("source-translation:", "source-translaton:", "unknown probe \"source-translaton\"; did you mean"),
        ("{ network: \"", "{ netwrk: \"", "has no parameter \"netwrk\"; did you mean \"network\"?"),
        ("{ network: \"{{network.cidr}}\" }", "{}", "the parameter \"network\" of source-translation is missing"),
        ("{ network: \"{{network.cidr}}\" }", "{ network: 5 }", "is of type string"),
        ("{ translated: {", "{ translatd: {", "has no fact \"translatd\"; did you mean \"translated\"?"),
        ("equals: all", "equals: true", "equals does not fit translated, which is of type string"),
        ("equals: all", "atLeast: 5", "atLeast does not fit translated, which is of type string"),
        ("equals: all", "count: 5", "count does not fit translated, which is of type string"),
        ("{ defect: { equals: shadowed } }", "{ defct: { equals: shadowed } }", "has no fact \"defct\""),
        ("show: [rule]", "show: [rul]", "has no fact \"rul\"; did you mean \"rule\"?"),
        ("{ network.nat: {", "{ fact.rull: {", "has no fact \"rull\"; did you mean \"rule\"?"),
    ]) func validationFinds(_ old: String, _ new: String, _ message: String) throws {
        let text = Self.good.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(text.count == 2)
        let check = try read(text.joined(separator: new))
        let problems = CatalogValidation.problems(of: check, probes: [Self.probe])
        #expect(problems.contains { $0.contains(message) && $0.hasPrefix("nat.masquerade: ") }, "\(problems)")
    }

    @Test func validationFindsCyclesAndUnknownIds() {
        func check(_ id: String, needs: [String], cause: String) -> Check {
            Check(
                id: id, title: id, severity: .warning, area: .nat, needs: needs, probe: "p",
                expect: .fact("f", .exists(true)), causes: [CauseRule(id: cause)])
        }
        let checks = [
            check("nat.a", needs: ["nat.b"], cause: "one"), check("nat.b", needs: ["nat.a"], cause: "on"),
            check("nat.c", needs: ["nat.d"], cause: "one"),
        ]
        let causes = [
            CauseEntry(
                id: "one", area: .nat, severity: .warning, title: "{{container.name}}", explanation: "",
                explains: ["two", "three"]),
            CauseEntry(id: "two", area: .nat, severity: .warning, title: "", explanation: "", explains: ["one"]),
        ]
        let problems = CatalogValidation.problems(of: checks, causes: causes)
        #expect(problems.contains("nat.a: its needs lead back to itself"))
        #expect(problems.contains { $0.hasPrefix("nat.b: unknown cause \"on\"; did you mean \"one\"?") })
        #expect(problems.contains { $0.hasPrefix("nat.c: needs unknown check \"nat.d\"") })
        #expect(problems.contains { $0.hasPrefix("one: explains unknown cause \"three\"") })
        #expect(problems.contains("one: it explains itself"))
        #expect(problems.contains { $0.contains("names {{container.name}}, which a network does not have") })
    }
}

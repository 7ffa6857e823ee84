import CheckCatalog
import HostModel
import Testing

@Suite struct PredicateTests {
    let variables = Variables(["bridges": .strings(["a", "b"]), "one": .string("x"), "number": .integer(5)])

    @Test(arguments: [
        (FactPredicate.equals(.string("{{one}}")), FactValue.string("x"), true),
        (.equals(.string("{{one}}y")), .string("xy"), true), (.equals(.string("1")), .integer(1), true),
        (.equals(.integer(1)), .string("1"), false), (.equals(.boolean(true)), .boolean(false), false),
        (.equals(.strings(["{{bridges}}", "c"])), .strings(["a", "b", "c"]), true),
        (.notEquals(.string("x")), .string("y"), true), (.notEquals(.string("x")), .string("x"), false),
        (.oneOf([.string("x"), .string("{{bridges}}")]), .string("b"), true),
        (.oneOf([.string("{{bridges}}")]), .string("c"), false), (.oneOf([.integer(1)]), .integer(1), true),
        (.contains("b"), .strings(["a", "b"]), true), (.contains("b"), .strings(["ab"]), false),
        (.contains("a*"), .string("xa*y"), true), (.contains("a*"), .string("xaby"), false),
        (.matches("eth?"), .string("eth0"), true), (.matches("eth?"), .string("eth10"), false),
        (.atLeast(.string("{{number}}")), .integer(5), true), (.atLeast(.integer(6)), .integer(5), false),
        (.atMost(.integer(5)), .integer(5), true), (.atMost(.integer(4)), .integer(5), false),
        (.atLeast(.integer(1)), .string("5"), false), (.exists(true), .string(""), true),
        (.exists(false), .string(""), false), (.count(.equals(.integer(2))), .strings(["a", "b"]), true),
        (.count(.atLeast(.integer(3))), .strings(["a", "b"]), false),
        (.all(.matches("a*")), .strings(["a", "ab"]), true), (.all(.matches("a*")), .strings(["a", "b"]), false),
        (.all(.matches("a*")), .strings([]), true), (.any(.equals(.string("b"))), .strings(["a", "b"]), true),
        (.any(.equals(.string("b"))), .strings([]), false), (.none(.equals(.string("b"))), .strings(["a"]), true),
        (.none(.equals(.string("a"))), .strings(["a"]), false),
        (.every([.atLeast(.integer(1)), .atMost(.integer(5))]), .integer(6), false),
    ]) func holds(_ predicate: FactPredicate, _ value: FactValue, _ wanted: Bool) {
        #expect(predicate.holds(value, variables) == wanted)
    }

    @Test(arguments: [
        FactPredicate.equals(.string("x")), .notEquals(.string("x")), .oneOf([.string("x")]), .contains("x"),
        .matches("*"), .atLeast(.integer(0)), .count(.equals(.integer(0))), .all(.exists(true)), .none(.exists(true)),
        .exists(true),
    ]) func anAbsentFactAnswersNo(_ predicate: FactPredicate) {
        #expect(!predicate.holds(nil, variables))
        #expect(FactPredicate.exists(false).holds(nil, variables))
    }

    @Test(arguments: [
        ("*", "", true), ("", "", true), ("", "a", false), ("a*b*c", "axxbyyc", true), ("a*b*c", "axxbyy", false),
        ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[^a-c]x", "bx", false), ("[^a-c]x", "dx", true),
        ("[]]", "]", true), ("[", "[", true), ("\\*", "*", true),
        ("\\*", "a", false), ("*nftables*", "nftables.service runs it", true), ("**a", "a", true),
    ]) func wildcardsMatchWholeTexts(_ pattern: String, _ text: String, _ wanted: Bool) {
        #expect(Wildcard.matches(pattern, text) == wanted)
    }

    @Test func manyStarsAreNotSlow() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!Wildcard.matches(pattern, String(repeating: "a", count: 5_000)))
    }

    @Test func conditionsCombine() {
        let facts: [String: FactValue] = ["up": .boolean(true), "kind": .string("bridge")]
        let up = FactCondition.fact("up", .equals(.boolean(true)))
        let veth = FactCondition.fact("kind", .equals(.string("veth")))
        #expect(FactCondition.any([veth, up]).holds(variables) { facts[$0] })
        #expect(!FactCondition.all([veth, up]).holds(variables) { facts[$0] })
        #expect(FactCondition.none([veth]).holds(variables) { facts[$0] })
        #expect(FactCondition.all([veth, up, veth]).names == ["kind", "up"])
        #expect(FactCondition.all([up, veth]).words(variables) == "up is yes and kind is veth")
    }

    @Test func templatesFillIn() throws {
        #expect(Template.render("a {{one}} {{ number }} {{strange}} {{", variables) == "a x 5 {{strange}} {{")
        #expect(Template.resolve(.string("{{bridges}}"), variables) == .strings(["a", "b"]))
        #expect(try Template.names(in: "{{a}} {{ b.c }}") == ["a", "b.c"])
        #expect(throws: TemplateProblem.self) { try Template.names(in: "{{a") }
    }
}

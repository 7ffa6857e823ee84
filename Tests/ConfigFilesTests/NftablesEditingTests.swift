import Testing

@testable import ConfigFiles

/// Rules and tables more in /etc/nftables.conf, without losing a byte.
@Suite struct NftablesEditingTests {
    private static let rules = ["iifname \"br0\" accept", "oifname \"br0\" ct state established,related accept"]

    private func edited(_ text: String, table: String = "filter", family: String = "inet") -> String? {
        NftablesConf(path: "nftables.conf", bytes: Array(text.utf8))
            .adding(Self.rules, toChain: "forward", family: family, table: table)?.lines.text
    }

    @Test func rulesStandLastInAChainOfLines() {
        let text = """
            #!/usr/sbin/nft -f
            flush ruleset
            table inet filter {
            \tchain input { type filter hook input priority 0; policy drop; }
            \tchain forward { # a comment with }
            \t\ttype filter hook forward priority filter; policy drop;
            \t\tip daddr { 10.0.0.0/8, 192.168.0.0/16 } drop comment "on } purpose"
            \t}
            }

            """
        let wanted = text.replacing(
            "purpose\"\n",
            with: "purpose\"\n\t\tiifname \"br0\" accept\n\t\toifname \"br0\" ct state established,related accept\n")
        #expect(edited(text) == wanted)
        #expect(edited(wanted) == wanted)
    }

    @Test(arguments: [
        "drop", "counter drop", "counter packets 0 bytes 0 reject with icmpx admin-prohibited",
        "log prefix \"no: \" level info drop",
    ])
    func rulesStandAheadOfWhatDropsEverything(end: String) {
        let text = "table inet filter {\n chain forward {\n  type filter hook forward priority 0;\n  \(end)\n }\n}\n"
        let wanted = text.replacing(
            "  \(end)\n", with: Self.rules.map { "  \($0)\n" }.joined() + "  \(end)\n")
        #expect(edited(text) == wanted)
        // What looks at something is a decision of its own.
        let narrow = text.replacing("  \(end)\n", with: "  iifname \"br0\" \(end)\n")
        #expect(edited(narrow)?.hasSuffix(Self.rules.map { "  \($0)\n" }.joined() + " }\n}\n") == true)
    }

    @Test func aRuleGoesRightAheadOfAnother() {
        func edited(_ text: String) -> String? {
            NftablesConf(path: "nftables.conf", bytes: Array(text.utf8)).adding(
                "ip saddr 10.5.0.0/16 masquerade", ahead: "ip saddr 10.5.0.0/16 accept", inChain: "out",
                family: "ip", table: "site")?.lines.text
        }
        let head = "table ip site {\n chain out {\n  type nat hook postrouting priority srcnat;\n"
        let exempt = "  ip daddr 192.168.77.0/24 accept # the other site\n"
        let shadow = "  ip saddr 10.5.0.0/16 counter packets 3 bytes 9 accept\n"
        let own = "  ip saddr 10.5.0.0/16 masquerade\n"
        #expect(edited(head + exempt + shadow + " }\n}\n") == head + exempt + own + shadow + " }\n}\n")
        let done = head + exempt + own + shadow + " }\n}\n"
        #expect(edited(done) == done)
        // Which of two, or none: nobody can tell.
        #expect(edited(head + shadow + exempt + shadow + " }\n}\n") == nil)
        #expect(edited(head + exempt + "  ip saddr $lan accept\n }\n}\n") == nil)
    }

    @Test func aChainOnOneLineStaysOne() {
        let text = "table ip filter { chain forward { type filter hook forward priority 0; policy drop; }; }\n"
        #expect(
            edited(text, family: "ip")
                == "table ip filter { chain forward { type filter hook forward priority 0; policy drop; "
                + "iifname \"br0\" accept; oifname \"br0\" ct state established,related accept; }; }\n")
        let short = "table filter {chain forward {type filter hook forward priority 0\npolicy drop }}"
        #expect(
            edited(short, family: "ip")
                == "table filter {chain forward {type filter hook forward priority 0\npolicy drop ; "
                + "iifname \"br0\" accept; oifname \"br0\" ct state established,related accept; }}")
    }

    @Test func anotherChainIsLeftAlone() {
        #expect(edited("table inet other { chain forward { type filter hook forward priority 0; } }") == nil)
        #expect(edited("table inet filter { chain forward { accept; } }") == nil)
        #expect(edited("add chain inet filter forward { type filter hook forward priority 0; }") == nil)
        #expect(edited("table inet filter { chain forward { type filter hook") == nil)
        let flat = NftablesConf(path: "f", bytes: Array("add chain inet filter forward { }\n".utf8))
        #expect(flat.mentions(chain: "forward", table: "filter"))
        #expect(!flat.mentions(chain: "postrouting", table: "nat"))
    }

    @Test func aTextGoesToTheEnd() {
        let file = NftablesConf(path: "f", bytes: Array("flush ruleset".utf8)).appending("# ours\n")
        #expect(file.lines.text == "flush ruleset\n\n# ours\n")
    }
}

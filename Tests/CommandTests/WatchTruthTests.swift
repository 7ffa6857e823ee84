import TestSupport
import Testing

/// What a watch says between a change and the next proof, and of what it cannot judge.
@Suite(.serialized) struct WatchTruthTests {
    /// The proof may be made again after some seconds only. Until then it neither accuses a host that has healed, nor
    /// calls good what a rule read since shows to be broken.
    @Test func aProofFromBeforeAChangeSaysNoMoreThanThat() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            def finding(check):
                report = watch.report()
                return next(one for one in report["findings"] if one["check"] == check)

            sh("echo 0 >/proc/sys/net/ipv4/ip_forward")
            with Watch("--proof-every", "8") as watch:
                expect("ip-forward-off" in watch.causes() and finding("nat.proof")["verdict"] == "fail", watch.report())
                sh("echo 1 >/proc/sys/net/ipv4/ip_forward")
                until("the setting is judged", lambda: "ip-forward-off" not in watch.causes(), 5)
                report = watch.report()
                expect(report["causes"] == [] and report["verdict"] == "unknown", report["causes"], report["verdict"])
                expect(report["proof"]["isOutdated"] is True and finding("nat.proof")["verdict"] == "unknown")
                expect("before the last change" in finding("nat.proof")["reason"], finding("nat.proof"))
                until("proved again", lambda: watch.status()["verdict"] == "healthy", 20)
                expect("isOutdated" not in watch.report()["proof"], watch.report()["proof"])
                expect("drop-unexplained" not in watch.log(), watch.log())

                sh("echo 0 >/proc/sys/net/ipv4/ip_forward")
                until("broken again", lambda: "ip-forward-off" in watch.causes(), 5)
                expect(finding("nat.proof")["verdict"] == "unknown", finding("nat.proof"))
                until("proved again", lambda: finding("nat.proof")["verdict"] == "fail", 20)
            """)
    }

    /// A container that starts touches what packets depend on, again and again. That is no reason to call a host unknown.
    @Test func aHealthyHostOnWhichThingsHappenStaysHealthy() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof-every", "60") as watch:
                watch.settled(1.0)
                for number in range(3):
                    sh("nft add table ip harmless; nft delete table ip harmless")
                    until("judged", lambda: watch.report()["proof"].get("isOutdated"), 5)
                    expect(watch.status()["verdict"] == "healthy", watch.report())
                    expect(watch.status()["proof"]["isDue"])
            """)
    }

    /// A link that is down blocks a dozen checks: one line of the log, and no word of breaking or healing.
    @Test func whatCannotBeJudgedIsToldOnceAndNotCalledBroken() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof", "off") as watch:
                watch.settled(0.5)
                sh("ip link set lxcbr1 down")
                until("broken", lambda: "bridge-down" in watch.causes(), 5)
                lines = until("told", lambda: [line for line in watch.log().splitlines() if "any more" in line], 5)
                blocked = [one["check"] for one in watch.report()["findings"] if one["verdict"] == "blocked"]
                expect(len(blocked) > 3 and len(lines) < len(blocked) and "needs bridge.up" in lines[0], lines, blocked)
                told = [line for line in watch.log().splitlines() if "broke: " in line or "healed: " in line]
                for check in blocked:
                    expect(not any(f"[{check}]" in line for line in told), told)
            """)
    }

    /// Of a rule that moves from one table to another in one batch, one of them may be listed before and the other after
    /// it. A rule that is always there is never missed, and one that goes is.
    @Test func aRuleThatMovesBetweenTablesIsNeverMissed() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            import random
            rule = "ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade"
            names = ["a", "b", "c"]
            sh("nft flush ruleset")
            for name in names:
                sh(f"nft 'add table ip {name}; add chain ip {name} post {{ type nat hook postrouting priority 100; }}'")
            sh(f"nft add rule ip a post {rule}")
            with Watch("--proof", "off") as watch:
                expect("masq-missing" not in watch.causes(), watch.causes())
                for number in range(150):
                    old, new = names[number % 3], names[(number + 1) % 3]
                    sh(f"nft 'flush chain ip {old} post; add rule ip {new} post {rule}'")
                    time.sleep(random.uniform(0, 0.03))
                status = watch.settled(0.5)
                expect(status["judgements"] > 3, status)
                expect("masq-missing" not in watch.log(), watch.log())
                for name in names:
                    sh(f"nft flush chain ip {name} post")
                until("it is missed", lambda: "masq-missing" in watch.log(), 5)
            """)
    }
}

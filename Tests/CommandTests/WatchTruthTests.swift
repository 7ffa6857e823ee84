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
}

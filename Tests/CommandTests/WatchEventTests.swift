import TestSupport
import Testing

/// What `watch` hears, and what it makes of it.
@Suite(.serialized) struct WatchEventTests {
    /// nft, and iptables-nft: from the flush to the metrics that others read, by the event and not by the clock, which
    /// comes every minute. How fast, `make bench` says.
    @Test(arguments: [("nft", "nft flush ruleset"), ("iptables-nft", "iptables-nft -t nat -F")])
    func aFlushedRulesetIsReportedAtOnce(backend: String, flush: String) throws {
        let output = try WatchLab.pass(
            ["--profile", "makina", "--backend", backend],
            """
            saved = sh("nft list ruleset")
            open("/tmp/saved.nft", "w").write("flush ruleset\\n" + saved)
            with Watch("--proof", "off") as watch:
                times = []
                for _ in range(7):
                    watch.settled(0.3)
                    expect("masq-missing" not in read(FILE), read(FILE))
                    subprocess.Popen("\(flush)".split())
                    times.append(milliseconds_until('cause_present{cause="masq-missing"'))
                    sh("nft -f /tmp/saved.nft" if "\(backend)" == "nft" else
                       "iptables-nft -t nat -A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE")
                    until("healed", lambda: "masq-missing" not in read(FILE))
                print("times", sorted(round(time) for time in times))
                expect(sorted(times)[3] <= 5000, times)
            """)
        #expect(output.contains("times"))
    }

    /// Neither the watch nor its server, with the clock set to nothing: not once in three seconds. Without a container, for
    /// a port that begins to forward, 15 s after it came, is something that happens.
    @Test func nothingHappensAndNothingWakesIt() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch() as watch:
                watch.settled(2.0)
                time.sleep(2.5)  # a served answer's connection has drained
                before = wake_ups(watch.pid, watch.server())
                time.sleep(3)
                expect(wake_ups(watch.pid, watch.server()) == before, wake_ups(watch.pid, watch.server()) - before)
                # The same counter sees that something happens.
                sh("ip link set lxcbr1 mtu 1400")
                until("woken", lambda: wake_ups(watch.pid, watch.server()) > before)
            """)
    }

    @Test func everyKindOfEventIsHeardAndOnlyWhatItTouchesIsJudged() throws {
        try WatchLab.pass(
            ["--profile", "makina", "--containers", "1"],
            """
            changes = [
                ("rtnetlink", "ip addr del 10.5.0.1/16 dev lxcbr1", "ip addr add 10.5.0.1/16 dev lxcbr1", "bridge.address"),
                ("sysctl", "echo 0 >/proc/sys/net/ipv4/ip_forward", "echo 1 >/proc/sys/net/ipv4/ip_forward", "forwarding.global"),
                ("nftables", "nft -s list ruleset >/tmp/r; nft flush ruleset", "nft -f /tmp/r", "nat.masquerade"),
                ("file", "mv /usr/bin/lxc-start /usr/bin/no-start", "mv /usr/bin/no-start /usr/bin/lxc-start", "host.lxc-installed"),
            ]
            with Watch("--proof", "off") as watch:
                total = len(watch.report()["findings"])
                for kind, there, back, check in changes:
                    def verdict():
                        found = [f for f in watch.report()["findings"] if f["check"] == check]
                        expect(found, "no check", check)
                        return found[0]["verdict"]
                    watch.settled(0.3)
                    expect(verdict() == "pass", kind, verdict())
                    sh(there)
                    until(f"{kind}: {check} fails", lambda: verdict() == "fail", 5)
                    expect(watch.status()["judgedAnew"] < total, kind, watch.status())
                    sh(back)
                    until(f"{kind}: {check} holds again", lambda: verdict() == "pass", 5)
                # What no check stands on is heard, and judges nothing.
                before = watch.settled(0.5)["judgements"]
                sh("echo x >/etc/something-else; echo 1 >/proc/sys/net/ipv4/tcp_timestamps")
                expect(watch.settled(0.5)["judgements"] == before, "judged for nothing")
            """)
    }

    /// A sysctl that rtnetlink does not tell of, and one that it does.
    @Test func aSysctlIsHeardByItsFile() throws {
        try WatchLab.pass(
            [],
            """
            with Watch("--proof", "off") as watch:
                before = watch.settled(0.5)["judgements"]
                sh("echo 1 >/proc/sys/net/ipv4/conf/all/accept_local")
                until("judged", lambda: watch.status()["judgements"] > before, 5)
            """)
    }

    /// Its own proof, and that of another: both make a port, a table, and give an idle bridge a carrier. None of it is a
    /// reason to judge anything.
    @Test(arguments: [0, 1])
    func aProofIsNoReasonToJudge(containers: Int) throws {
        try WatchLab.pass(
            ["--profile", "makina", "--containers", String(containers)],
            """
            with Watch("--proof-every", "2") as watch:
                status = watch.settled(3.0)
                before = status["judgements"]
                sh("lxc-doctor prove -q")
                expect(watch.settled(3.0)["judgements"] == before, "another's proof was judged", watch.status())
                # One harmless change: it is judged, once; a proof is made of it, and judged once.
                proved = watch.status()["proof"]["provedAt"]
                sh("nft add table ip harmless")
                until("a new proof", lambda: watch.status()["proof"]["provedAt"] != proved)
                status = watch.settled(4.0)
                expect(status["judgements"] == before + 2, before, status)
            """)
    }

    /// Changes while proofs run, and while others change: none of it is a moment of which it says that it cannot judge.
    @Test func whatHappensAtTheSameTimeDoesNotBlindIt() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof", "off") as watch:
                before = watch.settled(0.5)["judgements"]
                provers = [subprocess.Popen(["sh", "-c", "while :; do lxc-doctor prove -q; done"]) for _ in range(2)]
                end, verdicts = time.monotonic() + 6, set()
                while time.monotonic() < end:
                    sh("nft add table ip harmless; nft delete table ip harmless")
                    verdicts.add(watch.status()["verdict"])
                for prover in provers:
                    prover.kill()
                expect(watch.status()["judgements"] > before + 2, watch.status())
                expect(verdicts == {"healthy"} and "broke" not in watch.log(), verdicts, watch.log())
            """)
    }

    @Test func aProofIsMadeAtMostSoOften() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof-every", "4") as watch:
                first = watch.settled(1.0)["proof"]["provedAt"]
                begin = time.monotonic()
                times = {first}
                while time.monotonic() < begin + 6:
                    sh("nft add table ip harmless; nft delete table ip harmless")
                    times.add(watch.status()["proof"]["provedAt"])
                    time.sleep(0.1)
                expect(2 <= len(times) <= 3, times)
                expect(watch.status()["proof"]["everySeconds"] == 4)
            """)
    }

    @Test func whatTellsOfNothingIsPolledWhereItIsAndSaysSo() throws {
        let polled =
            """
            def parts(watch): return [part["part"] for part in watch.status()["polled"]]

            """
        try WatchLab.pass(
            ["--profile", "makina", "--backend", "iptables-legacy"],
            polled + """
                with Watch("--proof", "off", poll=1) as watch:
                    expect("iptables-legacy" in parts(watch), watch.status())
                    expect('poll_interval_seconds{part="iptables-legacy"} 1' in read(FILE), read(FILE))
                    expect("iptables-legacy every 1 s" in watch.manager.text())
                    watch.settled(1.5)
                    before = watch.status()["judgements"]
                    time.sleep(2.5)
                    expect(watch.status()["judgements"] == before, "rules that are as they were were judged")
                    sh("iptables-legacy -t nat -F")
                    until("the flush is seen", lambda: "masq-missing" in watch.causes(), 3)
                """)
        try WatchLab.pass(
            ["--profile", "makina", "--backend", "nft"],
            polled + """
                there = os.path.exists("/proc/sys/net/bridge/bridge-nf-call-iptables")
                with Watch("--proof", "off") as watch:
                    expect(parts(watch) == (["bridge-sysctls"] if there else []), watch.status())
                    expect(("iptables-legacy" in watch.manager.text()) is False)
                """)
    }

    /// More changes than the kernel can queue, while it may not read: then everything is read, and what was lost is found.
    @Test func anOverrunIsSurvived() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof", "off") as watch:
                expect(watch.settled(0.5)["overruns"] == 0)
                os.kill(watch.pid, signal.SIGSTOP)
                many = "".join(f"add rule ip t c ip saddr 10.{i // 250}.{i % 250}.1 counter\\n" for i in range(20000))
                open("/tmp/many.nft", "w").write("add table ip t\\nadd chain ip t c\\n" + many)
                sh("nft -f /tmp/many.nft; nft flush ruleset")
                os.kill(watch.pid, signal.SIGCONT)
                until("everything is read again", lambda: watch.status()["overruns"] > 0, 10)
                until("what was lost is found", lambda: "masq-missing" in watch.causes(), 10)
                expect("everything is read again" in watch.log(), watch.log())
            """)
    }

    /// A short soak; `make bench` makes the long one.
    @Test func memoryIsBoundedOverManyChanges() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            open("/tmp/storm.nft", "w").write("".join(
                f"add rule ip t c ip saddr 10.9.{i % 250}.1 counter\\n" for i in range(200)) + "flush chain ip t c\\n")
            with Watch("--proof", "off") as watch:
                sh("nft add table ip t; nft add chain ip t c; nft -f /tmp/storm.nft")
                watch.settled(0.5)
                sizes = []
                for _ in range(5):
                    for _ in range(5):
                        sh("nft -f /tmp/storm.nft")
                    watch.settled(0.3)
                    sizes.append(watch.memory())
                expect(sizes[-1] - sizes[0] < 4096, sizes)
                expect(watch.status()["judgements"] > 5)
            """)
    }
}

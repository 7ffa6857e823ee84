import TestSupport
import Testing

/// Repairs that a watch makes by itself.
@Suite(.serialized) struct WatchRepairTests {
    /// It repairs what it may, once more when something else takes that back, and then leaves it to a person.
    @Test func itRepairsAndNeverFightsTwice() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof-every", "1", "--auto-remediate", "--remedy", "masquerade", "--remedy-every", "1") as watch:
                def repaired(): return watch.log().count("repair applied")
                for count in [1, 2]:
                    sh("nft flush ruleset")
                    until(f"broken {count}", lambda: watch.status()["verdict"] == "critical", 5)
                    until(f"repair {count}", lambda: repaired() == count, 30)
                    until("healed", lambda: watch.status()["verdict"] == "healthy", 10)
                    expect("masquerade" in sh("nft list ruleset"))
                sh("nft flush ruleset")
                until("left to a person", lambda: watch.status()["repairs"]["leftAlone"], 10)
                left = watch.status()["repairs"]["leftAlone"]
                expect(left[0]["cause"] == "masq-missing" and "twice" in left[0]["reason"], left)
                expect('lxc_doctor_watch_left_alone{cause="masq-missing"' in read(FILE))
                time.sleep(6)
                expect(repaired() == 2 and "masquerade" not in sh("nft list ruleset"), watch.log())
                # A person says: begin anew.
                watch.process.send_signal(signal.SIGHUP)
                until("it repairs again", lambda: repaired() == 3, 30)
            """)
    }

    /// The list, the rate, and that a moment's fault is none.
    @Test func onlyWhatIsListedOnlyWhatStaysAndNotTooOften() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof", "off", "--auto-remediate", "--remedy", "masquerade", "--remedy-every", "3600") as watch:
                sh("echo 0 >/proc/sys/net/ipv4/ip_forward")
                until("left alone", lambda: watch.status()["repairs"]["leftAlone"], 10)
                left = watch.status()["repairs"]["leftAlone"][0]
                expect("is not on the list" in left["reason"], left)
                until("it is said, once", lambda: watch.log().count("leaves alone ip-forward-off") == 1, 5)
                sh("echo 1 >/proc/sys/net/ipv4/ip_forward")
                until("whole again", lambda: watch.status()["verdict"] == "healthy", 10)
                # A firewall that reloads.
                sh("nft -s list ruleset >/tmp/r; nft flush ruleset; sleep 1; nft -f /tmp/r")
                time.sleep(5)
                expect("repair" not in watch.log(), watch.log())
                # What stays is repaired; the next only after the hour.
                sh("nft flush ruleset")
                until("repaired", lambda: "repair applied" in watch.log(), 20)
                sh("nft flush ruleset")
                time.sleep(6)
                expect(watch.log().count("repair applied") == 1, watch.log())
                expect(sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "1")
            """)
    }

    /// Events of its own repair are part of the look that ends it.
    @Test func itsOwnRepairIsNoReasonToJudge() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof", "off", "--auto-remediate", "--remedy", "masquerade", "--remedy-every", "1") as watch:
                sh("nft flush ruleset")
                until("repaired", lambda: "repair applied" in watch.log(), 20)
                until("whole", lambda: watch.status()["verdict"] == "healthy", 5)
                before = watch.status()["judgements"]
                time.sleep(3)
                expect(watch.status()["judgements"] <= before + 1, before, watch.status())
            """)
    }
}

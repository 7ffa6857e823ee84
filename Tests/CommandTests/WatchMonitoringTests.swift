import TestSupport
import Testing

/// Monitoring that people already have, Debian's own packages of it, over what the doctor writes.
@Suite(.serialized) struct WatchMonitoringTests {
    /// Prometheus scrapes the watch, sees a fault come, and its alert with the rules that are shipped.
    @Test func prometheusScrapesTheWatch() throws {
        try WatchLab.pass(
            ["--profile", "makina", "--layer", "prometheus"],
            """
            os.makedirs("/tmp/p")
            open("/tmp/p/lxc-doctor.yaml", "w").write(read(f"{ROOT}/reports/prometheus/alerts.yaml"))
            open("/tmp/p/prometheus.yml", "w").write('''
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: [lxc-doctor.yaml]
            scrape_configs: [{ job_name: lxc-doctor, static_configs: [{ targets: ["127.0.0.1:9799"] }] }]
            ''')
            sh("promtool check config /tmp/p/prometheus.yml")
            def ask(path):
                try:
                    return json.loads(get(path, port=9090)[2])["data"]
                except (OSError, ValueError):
                    return None
            def query(text):
                data = ask("/api/v1/query?query=" + urllib.request.quote(text))
                return {json.dumps(r["metric"], sort_keys=True): r["value"][1] for r in data["result"]} if data else {}
            def alerts(name):
                return [a for a in (ask("/api/v1/alerts") or {"alerts": []})["alerts"] if a["labels"]["alertname"] == name]
            with Watch("--proof-every", "1") as watch:
                server = subprocess.Popen(
                    ["prometheus", "--config.file=/tmp/p/prometheus.yml", "--storage.tsdb.path=/tmp/p/data",
                     "--web.listen-address=127.0.0.1:9090", "--log.level=error"], stderr=open("/tmp/p/log", "wb"))
                until("it is scraped", lambda: list(query('up{job="lxc-doctor"}').values()) == ["1"], 40, 0.2)
                until("healthy", lambda: list(query("lxc_doctor_exit_code").values()) == ["0"], 10, 0.2)
                expect(list(query("lxc_doctor_watch_up").values()) == ["1"])
                expect(not query('lxc_doctor_cause_present'), query('lxc_doctor_cause_present'))
                expect(set(query("lxc_doctor_proof_verdict == 1")) and
                       all('"masqueraded"' in key for key in query("lxc_doctor_proof_verdict")))
                sh("nft flush ruleset")
                until("the cause", lambda: any('"masq-missing"' in key for key in query("lxc_doctor_cause_present")), 15, 0.2)
                until("the proof", lambda: any('"leaked"' in key for key in query("lxc_doctor_proof_verdict")), 15, 0.2)
                for name in ["LxcDoctorCritical", "LxcDoctorRootCause", "LxcDoctorPacketLeaks"]:
                    until(f"the alert {name}", lambda: alerts(name), 15, 0.2)
                expect(not alerts("LxcDoctorStale") and not alerts("LxcDoctorWatchStopped"))
                # Nothing that Prometheus took in was out of order, twice there, or unreadable.
                targets = ask("/api/v1/targets")["activeTargets"]
                expect([(t["health"], t["lastError"]) for t in targets] == [("up", "")], targets)
                server.terminate()
            """)
    }

    /// The README's five lines, on the configuration that Debian's package brings, but for those that want systemd.
    @Test func theFiveLinesOfTheReadmeMakeAGoodConfiguration() throws {
        try WatchLab.pass(
            ["--layer", "prometheus"],
            """
            text = read(f"{ROOT}/README.md")
            block = text.split("Prometheus, in five lines:")[1].split("```sh")[1].split("```")[0]
            lines = [line for line in block.splitlines() if line]
            expect(len(lines) == 5, lines)
            os.chdir(ROOT)
            for line in lines:
                if not line.startswith("systemctl"):
                    sh(line)
            checked = sh("promtool check config /etc/prometheus/prometheus.yml")
            expect("1 rule files found" in checked and "rules found" in checked, checked)
            expect(read("/etc/prometheus/prometheus.yml").count("127.0.0.1:9799") == 1)
            """)
    }

    /// node_exporter's textfile collector reads the file, and promtool finds nothing to say of it.
    @Test func nodeExporterReadsTheFile() throws {
        try WatchLab.pass(
            ["--profile", "makina", "--fault", "masq-missing", "--layer", "node-exporter", "--layer", "prometheus"],
            """
            sh("rm -rf /tmp/text; mkdir -m 755 /tmp/text")
            with Watch("--textfile", "/tmp/text/lxc.prom") as watch:
                sh("promtool check metrics </tmp/text/lxc.prom")
                exporter = subprocess.Popen(
                    ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "prometheus-node-exporter",
                     "--web.listen-address=127.0.0.1:9100", "--collector.disable-defaults", "--collector.textfile",
                     "--collector.textfile.directory=/tmp/text"], stderr=open("/tmp/exporter.log", "wb"))
                def page():
                    try:
                        return get("/metrics", port=9100)[2]
                    except OSError:
                        return ""
                until("it answers", page)
                text = page()
                expect("node_textfile_scrape_error 0" in text, text[-2000:], read("/tmp/exporter.log"))
                expect('node_textfile_mtime_seconds{file="/tmp/text/lxc.prom"}' in text)
                expect('lxc_doctor_cause_present{area="nat",cause="masq-missing"' in text)
                # What it hands on is what was written, sample for sample.
                ours = [l for l in read("/tmp/text/lxc.prom").splitlines() if l and not l.startswith("#")]
                theirs = [l for l in text.splitlines() if l.startswith("lxc_doctor_")]
                expect(len(ours) == len(theirs) > 30, len(ours), len(theirs))
                exporter.terminate()
            sh("promtool check metrics </tmp/text/lxc.prom")
            """)
    }

    /// Icinga runs the doctor as a plugin: state, first line and every performance value as it takes them.
    @Test(arguments: [("masq-missing", "2", "CRITICAL"), ("", "0", "OK")])
    func icingaRunsTheDoctor(fault: String, state: String, word: String) throws {
        try WatchLab.pass(
            ["--profile", "makina", "--layer", "icinga2"] + (fault.isEmpty ? [] : ["--fault", fault]),
            """
            sh("rm -rf /tmp/i; mkdir -p /tmp/i /run/icinga2 /var/lib/icinga2 /var/log/icinga2 /var/cache/icinga2 /var/spool/icinga2/perfdata")
            open("/tmp/i/icinga.conf", "w").write('''
            include <itl>
            library "perfdata"
            object CheckerComponent "checker" { }
            object PerfdataWriter "perfdata" {
              service_perfdata_path = "/tmp/i/out", service_temp_path = "/tmp/i/temp"
              host_perfdata_path = "/tmp/i/host", host_temp_path = "/tmp/i/host-temp"
              rotation_interval = 1s
              service_format_template = "$service.state_id$;;$service.output$;;$service.perfdata$"
            }
            object Host "practice" { check_command = "dummy" }
            object CheckCommand "lxc" { command = [ "/usr/bin/env", "lxc-doctor", "--format", "nagios" ] }
            object Service "lxc" { host_name = "practice", check_command = "lxc", check_interval = 2s, retry_interval = 2s }
            ''')
            sh("chmod -R 777 /tmp/i /run/icinga2 /var/lib/icinga2 /var/log/icinga2 /var/cache/icinga2 /var/spool/icinga2")
            options = ["-c", "/tmp/i/icinga.conf", "-D", "Configuration.RunAsUser=root", "-D", "Configuration.RunAsGroup=root"]
            environment = dict(os.environ, ICINGA2_USER="root", ICINGA2_GROUP="root")
            icinga = subprocess.Popen(["icinga2", "daemon", *options], env=environment,
                                      stdout=open("/tmp/i/log", "wb"), stderr=subprocess.STDOUT)
            def out():
                import glob
                return "".join(read(name) for name in sorted(glob.glob("/tmp/i/out*")))
            try:
                until("a result", lambda: ";;LXC " in out() and out().endswith("\\n"), 40, 0.2)
            except SystemExit:
                print(read("/tmp/i/log"))
                raise
            state, text, values = out().split(";;", 2)
            values = values.split("\\n")[0].split()
            expect(state == "\(state)" and text.startswith("LXC \(word) - "), state, text)
            expect("\\nprofile makina" in text, text)
            labels = [value.split("=")[0] for value in values]
            expect(labels == ["time", "pass", "fail", "unknown", "blocked", "waived", "causes", "proof_time"], values)
            expect("Ignoring invalid perfdata" not in read("/tmp/i/log"), read("/tmp/i/log"))
            icinga.terminate()
            """)
    }
}

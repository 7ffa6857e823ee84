import TestSupport
import Testing

/// The base image, fetched from a server on the far side of the practice host's uplink.
@Suite(.serialized) struct ImageDownloadTests {
    /// `serve FILE`: by the first part of a request's path: `good`; `cut` ends the first answer in the middle; `whole`
    /// too, and knows no ranges; `slow` never ends it; `moved` leads to a file of the host. /tmp/requests: one line for each.
    private static let server = #"""
        serve() {
            cat >/tmp/server.py <<'END'
        import http.server, os, sys, time
        data = open(sys.argv[1], "rb").read()
        seen = {}
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *words): pass
            def do_GET(self):
                kind = self.path.split("/")[1]
                wanted = self.headers.get("Range", "")
                with open("/tmp/requests", "a") as log: print(kind, wanted or "all", file=log)
                first = seen.setdefault(kind, 0) == 0
                seen[kind] += 1
                if kind == "moved":
                    self.send_response(302); self.send_header("Location", "file:///etc/hostname")
                    self.send_header("Content-Length", "0"); self.end_headers(); return
                if kind == "none":
                    self.send_error(404); return
                start = 0
                if wanted and kind != "whole":
                    start = int(wanted.split("=")[1].split("-")[0])
                    if start >= len(data):
                        self.send_error(416); return
                self.send_response(206 if start else 200)
                if start: self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.send_header("Content-Length", str(len(data) - start)); self.end_headers()
                body = data[start:]
                if kind in ("cut", "whole") and first: body = body[:len(body) // 2]
                if kind == "slow" and first:
                    self.wfile.write(body[:len(body) // 2]); self.wfile.flush(); time.sleep(60)
                self.wfile.write(body)
                self.close_connection = True
        http.server.ThreadingHTTPServer(("198.51.100.7", 80), Handler).serve_forever()
        END
            ip netns exec internet python3 /tmp/server.py "$1" & server=$!
            trap 'kill $server' EXIT
            for try in $(seq 100); do
                ip netns exec internet python3 -c 'import socket; socket.create_connection(("198.51.100.7", 80))' 2>/dev/null && break
                sleep 0.05
            done
        }
        from() { profile "http://198.51.100.7/$1/$name-lxc-25.tar.xz" "sha256: $(sum "$archive")"; }
        tree /srv/tree; head -c 3000000 /dev/urandom >/srv/tree/rootfs/noise; pack /srv/tree "$archive"
        half=$(($(stat -c %s "$archive") / 2))
        cache() { ls -A /var/cache/lxc-doctor/images; }
        serve "$archive"

        """#

    private func run(_ script: String) throws -> FixLab.Ended { try ImageLab.run(Self.server + script) }

    @Test func isFetchedCheckedAndUnpacked() throws {
        let ended = try run(
            #"""
            from good; restore >/dev/null; echo "status $?"; cat /tmp/requests
            ls -A /var/lib/lxc; cmp /srv/tree/rootfs/noise /var/lib/lxc/$name/rootfs/noise && echo SAME; cache
            stat -c %a /var/cache/lxc-doctor/images
            """#)
        #expect(
            ended.lines == ["status 0", "good all", "makina-states-trusty", "SAME", "700"], "\(ended.messages)")
    }

    @Test func whatWasCutShortIsContinued() throws {
        let ended = try run(
            #"""
            from cut; restore >/dev/null; echo "status $?"; absent && echo ABSENT
            [ "$(stat -c %s /var/cache/lxc-doctor/images/*)" = $half ] && echo HALF
            restore >/dev/null; echo "status $?"; sed "s/$half/HALF/" /tmp/requests; cache
            """#)
        #expect(
            ended.lines == ["status 2", "ABSENT", "HALF", "status 0", "cut all", "cut bytes=HALF-"], "\(ended.messages)"
        )
    }

    @Test func aServerThatKnowsNoRangesIsAskedForAllOfIt() throws {
        let ended = try run(
            #"""
            from whole; restore >/dev/null; echo "status $?"; absent && echo ABSENT
            restore >/dev/null; echo "status $?"; sed "s/$half/HALF/" /tmp/requests
            """#)
        #expect(
            ended.lines == ["status 2", "ABSENT", "status 0", "whole all", "whole bytes=HALF-", "whole all"],
            "\(ended.messages)")
    }

    @Test func whatAnEarlierAttemptLeftIsNotBelieved() throws {
        let ended = try run(
            #"""
            mkdir -p -m 700 /var/cache/lxc-doctor/images
            part=/var/cache/lxc-doctor/images/$(sum "$archive").part
            head -c 1000 /dev/zero >$part; from good; restore >/dev/null; echo "status $?"
            rm -rf /var/lib/lxc/$name; cp "$archive" $part; printf more >>$part; restore >/dev/null; echo "status $?"
            rm -rf /var/lib/lxc/$name; cp "$archive" $part; restore >/dev/null; echo "status $?"
            sed -E 's/=[0-9]{4,}-/=SIZE-/' /tmp/requests
            """#)
        // Put together from zeros it is wrong, so all of it comes again; what is longer than the server's has nothing to
        // follow; what is whole needs nobody.
        #expect(
            ended.lines == [
                "status 0", "status 0", "status 0", "good bytes=SIZE-", "good all", "good bytes=SIZE-", "good all",
            ], "\(ended.messages)")
    }

    @Test(arguments: [("none", "404"), ("moved", "Protocol \"file\"")])
    func whatIsNotThereOrElsewhereIsNotTaken(kind: String, says: String) throws {
        let ended = try run(
            "from \(kind); restore >/tmp/report; echo \"status $?\"; absent && echo ABSENT; cat /tmp/report")
        #expect(ended.lines.prefix(2) == ["status 2", "ABSENT"], "\(ended.messages)")
        #expect(ended.output.replacing("\\", with: "").contains(says), "\(ended.output)")
    }

    @Test func anotherSumLeavesNothing() throws {
        let ended = try run(
            #"""
            profile "http://198.51.100.7/good/x.tar.xz" "sha256: $(printf '%064d' 7)"
            restore >/tmp/report; echo "status $?"; absent && echo ABSENT; stat -c %s /var/cache/lxc-doctor/images/*
            grep -c "and the profile wants 0*7" /tmp/report
            """#)
        #expect(ended.lines == ["status 2", "ABSENT", "0", "1"], "\(ended.messages)")
    }

    @Test func killedWhileItFetchesItIsContinuedAfterwards() throws {
        let ended = try run(
            #"""
            from slow; lxc-doctor fix apply image --yes --quiet --proof off & doctor=$!
            for try in $(seq 500); do [ "$(stat -c %s /var/cache/lxc-doctor/images/* 2>/dev/null || echo 0)" -gt 1000000 ] && break; sleep 0.02; done
            kill -9 $doctor; wait $doctor 2>/dev/null; sleep 0.2; pgrep -x curl >/dev/null || echo ENDED
            lxc-doctor fix history --quiet; absent && echo ABSENT
            restore >/dev/null; echo "status $?"; sed -E 's/=[0-9]{7}-/=PART-/' /tmp/requests
            """#)
        #expect(
            ended.lines == ["ENDED", "ABSENT", "status 0", "slow all", "slow bytes=PART-"], "\(ended.messages)")
    }
}

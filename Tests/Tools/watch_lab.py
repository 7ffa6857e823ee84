"""For tests of `lxc-doctor watch`: runs one on a practice host, and asks it what it sees. Python's own library only."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PORT = 9799
FILE = "/tmp/watch.prom"


def sh(script):
    """Runs a shell script that must succeed; what it printed."""
    done = subprocess.run(["sh", "-ec", script], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"`{script}` ended with {done.returncode}: {done.stdout}")
    return done.stdout


def until(what, condition, seconds=20.0, step=0.01):
    """Waits for a condition, and returns what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    sys.exit(f"not within {seconds} s: {what}")


def expect(condition, *words):
    if not condition:
        sys.exit("expected otherwise: " + " ".join(str(word) for word in words))


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def get(path, port=PORT, headers=None, method="GET"):
    """Status, headers and body of an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class Sink:
    """A datagram socket that others write to: the service manager's, the journal's."""

    def __init__(self, path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)
        self.seen = []

    def all(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.seen.append(self.socket.recv(65536))
        return self.seen

    def text(self):
        return b"\n--\n".join(self.all()).decode(errors="replace")


class Watch:
    """`lxc-doctor watch`, until the end of the block."""

    def __init__(self, *arguments, serve=True, environment=None, poll=3600, journal=False):
        """`journal`: its standard error passes for a stream to the journal (JOURNAL_STREAM in systemd.exec(5))."""
        self.journal = journal
        self.manager = Sink("/run/watch-test/notify")
        self.arguments = ["lxc-doctor", "watch", "--textfile", FILE, "--poll", str(poll), *arguments]
        if serve:
            self.arguments += ["--listen", f"127.0.0.1:{PORT}"]
        self.environment = dict(os.environ, NOTIFY_SOCKET="/run/watch-test/notify", **(environment or {}))

    def __enter__(self):
        self.log_file = open("/tmp/watch.log", "wb")
        if self.journal:
            facts = os.fstat(self.log_file.fileno())
            self.environment["JOURNAL_STREAM"] = f"{facts.st_dev}:{facts.st_ino}"
        self.process = subprocess.Popen(self.arguments, env=self.environment, stderr=self.log_file)
        self.pid = self.process.pid
        until("READY=1", lambda: self.process.poll() is not None or "READY=1" in self.manager.text(), 60)
        if self.process.poll() is not None:
            sys.exit(f"watch ended with {self.process.returncode}: {self.log()}")
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(self.log(), file=sys.stderr)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                sys.exit("SIGTERM does not end it")
        self.log_file.close()

    def log(self):
        return read("/tmp/watch.log")

    def status(self):
        return json.loads(get("/healthz")[2])

    def report(self):
        return json.loads(get("/report.json")[2])

    def settled(self, quiet=1.0):
        """The status once nothing has been judged, and no proof was due, for a while."""
        last, since = None, time.monotonic()
        end = since + 60
        while time.monotonic() < end:
            status = self.status()
            key = (status["judgements"], status["proof"]["isDue"] if "proof" in status else False)
            if key != last:
                last, since = key, time.monotonic()
            elif time.monotonic() - since >= quiet:
                return status
            time.sleep(0.02)
        sys.exit("it does not come to rest")

    def causes(self):
        return [cause["id"] for cause in self.report()["causes"]]

    def server(self):
        """The process that serves pages."""
        return int(sh(f"pgrep -P {self.pid} -f serve-pages").split()[0])

    def memory(self):
        """Resident memory in KiB."""
        return int(next(line for line in read(f"/proc/{self.pid}/status").splitlines() if "VmRSS" in line).split()[1])


def wake_ups(*processes):
    """How often the threads of processes were woken so far."""
    total = 0
    for process in processes:
        for task in os.listdir(f"/proc/{process}/task"):
            for line in read(f"/proc/{process}/task/{task}/status").splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
    return total


def milliseconds_until(text, path=FILE, seconds=10.0):
    """Milliseconds from now until a file holds a text."""
    begin = time.monotonic()
    until(text, lambda: text in read(path), seconds, 0.0005)
    return (time.monotonic() - begin) * 1000

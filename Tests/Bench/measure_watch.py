"""Runs inside a practice host, for `bench-watch`: measures one thing and prints its row."""

import os
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tools"))
from watch_lab import *  # noqa: E402,F403

BROKEN = 'cause_present{cause="masq-missing"'
FLUSH = {"nft": "nft flush ruleset", "iptables-nft": "iptables-nft -t nat -F"}
MEND = {
    "nft": "nft -f /tmp/saved.nft",
    "iptables-nft": "iptables-nft -t nat -A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE",
}


def row(name, value, budget, kept):
    print(f"{name:<58} {value:>22}   budget {budget:<12} {'kept' if kept else 'MISSED'}", flush=True)


def flushes(watch, runs, backend):
    """Milliseconds from the flush's start to the metrics file, of each run."""
    times = []
    for _ in range(runs):
        watch.settled(0.3)
        child = subprocess.Popen(FLUSH[backend].split())
        times.append(milliseconds_until(BROKEN))
        child.wait()
        sh(MEND[backend])
        until("it is healed", lambda: BROKEN not in read(FILE))
    return sorted(times)


def latency(runs, backend):
    open("/tmp/saved.nft", "w").write("flush ruleset\n" + sh("nft list ruleset"))
    with Watch("--proof", "off") as watch:
        times = flushes(watch, runs, backend)
    row(f"flushed {backend} ruleset in the metrics, median / worst",
        f"{statistics.median(times):.0f} / {times[-1]:.0f} ms", "100 ms", times[-1] <= 100)


def large(runs):
    """A host with 20,000 rules beside the one that counts: those of a table that has not changed are not listed again."""
    many = "".join(f"add rule ip t c ip saddr 10.{i // 250}.{i % 250}.1 counter\n" for i in range(20000))
    open("/tmp/many.nft", "w").write("add table ip t\nadd chain ip t c\n" + many)
    sh("nft -f /tmp/many.nft")
    times = []
    with Watch("--proof", "off") as watch:
        for _ in range(runs):
            watch.settled(0.5)
            sh("nft -s list table ip lxc >/tmp/lxc.nft 2>/dev/null || nft -s list ruleset | sed '/table ip t /,$d' >/tmp/lxc.nft")
            tables = [line.split()[1:3] for line in sh("nft list tables").splitlines()]
            ours = [f"{family} {name}" for family, name in tables if name != "t"]
            saved = "".join(sh(f"nft -s list table {table}") for table in ours)
            open("/tmp/ours.nft", "w").write(saved)
            child = subprocess.Popen(["sh", "-c", "; ".join(f"nft delete table {table}" for table in ours)])
            times.append(milliseconds_until(BROKEN))
            child.wait()
            sh("nft -f /tmp/ours.nft")
            until("it is healed", lambda: BROKEN not in read(FILE))
        memory = watch.memory()
    row("deleted tables beside 20,000 other rules, median / worst",
        f"{statistics.median(times):.0f} / {max(times):.0f} ms", "100 ms", max(times) <= 100)
    print(f"{'  memory meanwhile':<58} {memory / 1024:.0f} MiB", flush=True)


def idle(seconds):
    with Watch() as watch:
        # A container's port is forwarding 15 s after it came (bridge forward delay), and the kernel tells of it.
        watch.settled(20.0)
        time.sleep(3)
        before = wake_ups(watch.pid, watch.server())
        ticks = sum(int(value) for value in read(f"/proc/{watch.pid}/stat").split(")")[1].split()[11:13])
        time.sleep(seconds)
        woken = wake_ups(watch.pid, watch.server()) - before
        used = sum(int(value) for value in read(f"/proc/{watch.pid}/stat").split(")")[1].split()[11:13]) - ticks
        memory = watch.memory()
    row(f"wake-ups in {seconds} s in which nothing happens", str(woken), "none", woken == 0 and used == 0)
    row("memory, idle", f"{memory / 1024:.1f} MiB", "32 MiB", memory <= 32 << 10)


def soak(changes):
    batch = 200
    rules = "".join(f"add rule ip t c ip saddr 10.9.{i}.1 counter\n" for i in range(batch))
    open("/tmp/storm.nft", "w").write(rules + "flush chain ip t c\n")
    with Watch("--proof", "off") as watch:
        sh("nft add table ip t; nft add chain ip t c; nft -f /tmp/storm.nft")
        watch.settled(0.5)
        begin, first, most = time.monotonic(), watch.memory(), 0
        for _ in range(max(1, changes // (2 * batch))):
            sh("nft -f /tmp/storm.nft")
            most = max(most, watch.memory())
        status = watch.settled(0.5)
        last, lasted = watch.memory(), time.monotonic() - begin
        ticks = sum(int(value) for value in read(f"/proc/{watch.pid}/stat").split(")")[1].split()[11:13])
        sh("nft flush ruleset")
        until("it still hears", lambda: BROKEN in read(FILE), 2)
    row(f"memory over {changes} rule changes: before / most / after",
        f"{first / 1024:.1f} / {most / 1024:.1f} / {last / 1024:.1f} MiB", "bounded", most - first < 8192)
    print(f"  {lasted:.1f} s, {status['judgements']} judgements, {status['overruns']} overruns, "
          f"{ticks / os.sysconf('SC_CLK_TCK'):.1f} s of processor time", flush=True)


what, *rest = sys.argv[1:]
if what == "latency":
    latency(int(rest[0]), rest[1])
else:
    {"large": large, "idle": idle, "soak": soak}[what](int(rest[0]))

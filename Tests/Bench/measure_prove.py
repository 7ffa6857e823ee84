# Runs inside a practice host, for bench-prove: times programs to their first output and to their end.
#
# usage: measure_prove.py RUNS OPEN_CLOSE BY_TCPDUMP
import statistics
import subprocess
import sys
import time

runs, open_close, by_tcpdump = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def measure(name, command, count, status=0):
    first, end = [], []
    for number in range(count + 1):
        begin = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        child.stdout.read(1)
        said = time.perf_counter()
        child.stdout.read()
        if child.wait() != status:
            sys.exit(f"{name}: status {child.returncode}")
        ended = time.perf_counter()
        # The first is not counted: it reads the programs into memory.
        if number > 0:
            first.append((said - begin) * 1000)
            end.append((ended - begin) * 1000)
    return name, first, end


rows = [
    measure("prove, fenced", ["lxc-doctor", "prove", "--format", "json"], runs),
    measure("all checks with the proof", ["lxc-doctor", "--format", "json"], runs),
    measure("capture handle, opened and closed", [open_close], runs),
    measure("script with tcpdump", [by_tcpdump], max(5, runs // 3)),
]
handle = rows[2]
print(f"{'program':<36}{'verdict ms':>12}{'exit ms':>10}{'worst exit':>12}{'of the handle':>20}")
for name, first, end in rows:
    verdict, ended = statistics.median(first), statistics.median(end)
    ratio = f"{verdict / statistics.median(handle[1]):.1f} x, {ended / statistics.median(handle[2]):.1f} x"
    print(f"{name:<36}{verdict:>12.1f}{ended:>10.1f}{max(end):>12.1f}{ratio:>20}")
print("budget of the proof: verdict <= 40 ms after the start, exit <= 100 ms")

"""Plans the instances with each solver and prints the table of `ops/bench/assign`.

usage: compare.py DOKUEI FOLDER SEEDS PEER_SECONDS
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# (cases, readers, candidates, the seconds we get, how many seeds at most)
SIZES = [(1000, 80, 12, 1, 10), (1000, 80, 12, 10, 10), (2000, 200, 12, 3, 10), (8000, 800, 16, 20, 10)]


def instance(folder: pathlib.Path, cases: int, readers: int, candidates: int, seed: int) -> pathlib.Path:
    path = folder / f"{cases}-{readers}-{candidates}-{seed}.json"
    if not path.exists():
        script = [sys.executable, str(HERE / "instance.py"), *map(str, (cases, readers, candidates, seed))]
        path.write_bytes(subprocess.run(script, check=True, stdout=subprocess.PIPE).stdout)
    return path


def peer(path: pathlib.Path, which: str, seconds: float) -> str:
    """What the peer's line says."""
    script = [sys.executable, str(HERE / "peers.py"), str(path), which, str(seconds)]
    return subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def objective(line: str) -> float:
    found = re.search(r"objective (\S+)", line)
    if not found:
        raise SystemExit(f"no objective in: {line}")
    return float(found[1])


def checked(path: pathlib.Path, plan: dict) -> float:
    """The value of a plan counted afresh from the instance; stops at a broken rule."""
    whole = json.loads(path.read_text())
    pairs = {(pair["case"], pair["reader"]): pair for pair in whole["pairs"]}
    loads = [0.0] * whole["readers"]
    left_out = set(range(whole["cases"]))
    value = 0.0
    for one in plan["assignments"]:
        pair = pairs[one["case"], one["reader"]]
        left_out.remove(one["case"])
        value += pair["cost"]
        loads[one["reader"]] += pair["minutes"]
    value += sum(whole["drop"][case] for case in left_out)
    for load, segments in zip(loads, whole["load_segments"]):
        for segment in segments:
            taken = min(load, segment["width"])
            value += taken * segment["price"]
            load -= taken
        if load > 1e-6:
            raise SystemExit(f"{path}: a reader has {load} minutes more than he may have")
    if abs(value - plan["objective"]) > 1e-4:
        raise SystemExit(f"{path}: the plan is worth {value} and says {plan['objective']}")
    return value


def ours(dokuei: str, path: pathlib.Path, seconds: float, seed: int) -> dict:
    out = path.with_suffix(".plan.json")
    command = ["/usr/bin/time", "-f", "%M", dokuei, "plan", "--instance", str(path), "--out", str(out)]
    command += ["--seconds", str(seconds), "--seed", str(seed)]
    begun = time.monotonic()
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{path}: {done.stderr}")
    plan = json.loads(out.read_text())
    return {
        "value": checked(path, plan),
        "bound": plan["bound"],
        "seconds": time.monotonic() - begun,
        "said": plan["seconds"],
        "mib": int(done.stderr.split()[-1]) / 1024,
        "status": plan["status"],
    }


def main() -> None:
    dokuei, folder, seeds, peer_seconds = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    rows, peers = [], []
    bounds: dict[pathlib.Path, float] = {}
    # The first start reads the program from the disk; that is not what is measured.
    ours(dokuei, instance(folder, 1000, 80, 12, 0), 1, 0)
    for cases, readers, candidates, seconds, most in SIZES:
        name = f"{cases} x {readers} x {candidates}"
        above, below, longest, memory = [], [], 0.0, 0.0
        for seed in range(min(seeds, most)):
            path = instance(folder, cases, readers, candidates, seed)
            if path not in bounds:
                bounds[path] = objective(peer(path, "lp", 600))
            bound = bounds[path]
            made = ours(dokuei, path, seconds, seed)
            above.append(100 * (made["value"] / bound - 1))
            below.append(100 * (1 - made["bound"] / bound))
            longest, memory = max(longest, made["seconds"]), max(memory, made["mib"])
            print(
                f"{name} seed {seed}: {above[-1]:+.2f} % in {made['seconds']:.2f} s ({made['status']}), "
                f"bound {-below[-1]:+.2f} %, {made['mib']:.0f} MiB",
                file=sys.stderr,
                flush=True,
            )
        rows.append((name, seconds, statistics.median(above), max(above), max(below), longest, memory, len(above)))
        if peer_seconds > 0 and all(name != done[0] for done in peers):
            path = instance(folder, cases, readers, candidates, 0)
            for which, says in (("highs", "HiGHS MIP"), ("cpsat", "CP-SAT")):
                value = objective(peer(path, which, peer_seconds))
                peers.append((name, says, 100 * (value / bounds[path] - 1)))
                print(f"{name} {says}: {peers[-1][2]:+.1f} %", file=sys.stderr, flush=True)
    print("| instance | ours in | median | worst | our bound below the LP's | longest | memory | seeds |")
    print("|---|---|---|---|---|---|---|---|")
    for name, seconds, median, worst, below, longest, memory, count in rows:
        print(
            f"| {name} | {seconds} s | +{median:.2f} % | +{worst:.2f} % | {below:.2f} points | {longest:.2f} s "
            f"| {memory:.0f} MiB | {count} |"
        )
    if peers:
        print(f"\n| instance | peer, seed 0, {peer_seconds:.0f} s | above the LP's bound |\n|---|---|---|")
        for name, says, gap in peers:
            print(f"| {name} | {says} | +{gap:.1f} % |")


main()

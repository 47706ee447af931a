#!/usr/bin/env python3
"""Counts instructions and heap allocations of fixed training steps by valgrind, and compares them with the committed
counts, tests/benchmarks/instructions.json. valgrind shows every program the same processor (AVX2), so the counts are
the same on every machine with AVX2, however busy; they differ between compilers.

  instructions.py PROGRAM              fails when a step takes 3 % more instructions, or more allocations
  instructions.py PROGRAM --accept     writes the counts to the committed file instead
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

STEPS = ["lstm 35 1 64", "lstm 35 8 64", "lstm 10 32 128", "pointwise_lstm 35 8 64", "plain_lstm 35 8 64",
         "gru 35 8 64", "elman 35 8 64", "bidirectional 35 8 64"]
MOST = 1.03
COMMITTED = pathlib.Path(__file__).with_name("instructions.json")


def count(program, step):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind"
        run = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=counted_step",
                              f"--callgrind-out-file={out}", program, *step.split()],
                             capture_output=True, text=True, env=os.environ | {"OPENBLAS_CORETYPE": "Haswell",
                                                                  "OPENBLAS_NUM_THREADS": "1"})
        if run.returncode != 0:
            sys.exit(f"{step}: {run.stderr}")
        summary = re.search(r"^summary: *(\d+)", out.read_text(), re.MULTILINE)
        return {"instructions": int(summary.group(1)), "allocations": int(run.stdout)}


def main():
    program = sys.argv[1]
    before = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    counts, worse = {}, []
    print(f"{'cell, T, B, H':<26}{'instructions':>16}{'committed':>16}{'change':>9}{'allocations':>13}{'committed':>11}")
    for step in STEPS:
        now = counts[step] = count(program, step)
        old = before.get(step)
        ratio = now["instructions"] / old["instructions"] if old else 1.0
        print(f"{step:<26}{now['instructions']:>16,}{old['instructions'] if old else '-':>16{',' if old else ''}}"
              f"{100 * (ratio - 1):>+8.1f}%{now['allocations']:>13}{old['allocations'] if old else '-':>11}", flush=True)
        if old and (ratio > MOST or now["allocations"] > old["allocations"]):
            worse.append(step)
    if "--accept" in sys.argv[2:]:
        COMMITTED.write_text(json.dumps(counts, indent=2) + "\n")
    elif worse:
        sys.exit(f"\nmore than committed: {'; '.join(worse)}. If that is meant, commit what "
                 "tests/benchmarks/run --instructions --accept writes")


if __name__ == "__main__":
    main()

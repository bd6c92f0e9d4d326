"""What a QA team scripts today: csv, jieba and pyahocorasick over the agent turns of an export, on one thread.

    python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/jieba_pyahocorasick.py EXPORT.csv

The words are the phrases of our own rule files that hold no syntax. A hit counts when it begins and ends where jieba says
that words do. Prints megabytes a second: of the file, and of the text of agent turns.
"""

import csv
import re
import sys
import time
import tomllib
from pathlib import Path

import ahocorasick
import jieba

RULES = Path(__file__).resolve().parents[2] / "lexicons"
ROLE, TEXT = "角色", "消息内容"


def phrases():
    for path in sorted(RULES.glob("*/*.toml")):
        for phrase in tomllib.loads(path.read_text(encoding="utf-8")).get("phrases", []):
            if re.fullmatch(r"[\u4e00-\u9fff]+", phrase):
                yield phrase


def main(path):
    automaton = ahocorasick.Automaton()
    for phrase in phrases():
        automaton.add_word(phrase, phrase)
    automaton.make_automaton()
    jieba.setLogLevel(60)
    jieba.initialize()
    began, hits, judged = time.perf_counter(), 0, 0
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row[ROLE] != "客服":
                continue
            text, at, edges = row[TEXT], 0, {0}
            judged += len(text.encode())
            for word in jieba.cut(text):
                at += len(word)
                edges.add(at)
            for last, phrase in automaton.iter(text):
                hits += last + 1 in edges and last + 1 - len(phrase) in edges
    seconds = time.perf_counter() - began
    size = Path(path).stat().st_size
    print(f"{len(automaton)} phrases, {hits} hits, {seconds:.1f} s, {size / seconds / 1e6:.2f} MB/s of the file, "
          f"{judged / seconds / 1e6:.2f} MB/s of agent text")


if __name__ == "__main__":
    main(sys.argv[1])

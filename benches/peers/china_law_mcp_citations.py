"""Runs china-law-mcp (check_citations_in_text) over a text file or the labelled corpus, for comparison with `zhijian cite`.

    pip install --target /tmp/peers -r benches/peers/requirements.txt
    PYTHONPATH=/tmp/peers python3 benches/peers/china_law_mcp_citations.py corpora/citations/citations.jsonl

For a text file: every citation it found and whether it calls it valid. For the corpus (.jsonl): how many wrong citations it
calls invalid (recall), how many of those it calls invalid are wrong (precision). A label is taken as found when the
citation it prints stands in the labelled span. It knows no dates and names no successors, so neither is compared.
"""

import json
import re
import sys

from china_law_mcp.server import check_citations_in_text

WRONG = {"repealed", "renumbered", "not-in-force", "no-such-article", "content-mismatch"}


def plain(text):
    return re.sub(r"\s", "", text)


def corpus(path):
    for split in ("dev", "held-out"):
        tp = fp = fn = seen = total = 0
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            if row["split"] != split:
                continue
            details = check_citations_in_text(row["text"])["details"]
            invalid = {plain(d["citation"]) for d in details if not d["verified"]}
            found = {plain(d["citation"]) for d in details}
            for label in row["citations"]:
                start, end = label["span"]
                span = plain(row["text"][start:end])
                total += 1
                seen += any(span.startswith(c) for c in found)
                called = any(span.startswith(c) for c in invalid)
                wrong = bool(WRONG & set(label["verdict"]))
                tp += called and wrong
                fp += called and not wrong
                fn += wrong and not called
        precision = tp / (tp + fp) if tp + fp else 1.0
        print(f"{split}: {total} citations, {seen} found; wrong: TP {tp} FP {fp} FN {fn}, "
              f"precision {precision:.3f} recall {tp / (tp + fn):.3f}")


def main():
    path = sys.argv[1]
    if path.endswith(".jsonl"):
        corpus(path)
        return
    result = check_citations_in_text(open(path, encoding="utf-8").read())
    for detail in result["details"]:
        print("valid  " if detail["verified"] else "invalid", detail["citation"], detail.get("message") or "")
    print(f"{result['total']} citations, {result['valid']} called valid, {result['invalid']} called invalid")


main()

"""Check the chains of an export, and recompute C1 to C3 with every open question read strictly.

Usage: ``python check_export.py EXPORT``; it needs Python alone. Exit code 1 says that a chain does
not hold, and names the rows. Compare the heads of the manifest with those of the closing receipt.
"""

import json
import sys
from collections import Counter, defaultdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

manifest = json.loads(Path(sys.argv[1], "manifest.json").read_text(encoding="utf-8"))
starts = {s["id"]: f"segment\n{s['id']}\n{s['previous']}" for s in manifest["segments"]}
newest = {name: (0, sha256(start.encode()).hexdigest()) for name, start in starts.items()}
faults, hashes, rows = [], {"0" * 64}, defaultdict(list)
for number, line in enumerate(Path(sys.argv[1], "rows.jsonl").read_bytes().splitlines(), 1):
    try:
        row = json.loads(line)
        section, place, (before, last) = row["segment"], row["position"], newest[row["segment"]]
        digest = sha256(f"{last}\n{row['body']}".encode()).hexdigest()
        if (place, row["hash"]) != (before + 1, digest):
            faults.append(f"{section}/{place}: changed, or a row before it was removed or inserted")
        newest[section] = place, row["hash"]
        hashes.add(row["hash"])
        body = json.loads(row["body"])
        rows["traces" if "rpps" in body else section].append(body)
    except (ValueError, KeyError, TypeError):
        faults.append(f"line {number}: not a row of a segment of the manifest")
for s in manifest["segments"]:
    head = s["head"] or {"position": 0, "hash": newest[s["id"]][1]}
    if newest[s["id"]] != (head["position"], head["hash"]) or s["previous"] not in hashes:
        faults.append(f"{s['id']}/{head['position']}: the rows do not lead to this head")
if faults:
    sys.exit("\n".join(faults))

paris, subjects = ZoneInfo("Europe/Paris"), {}
calls, documents, verdicts = defaultdict(list), defaultdict(list), []
today = str(datetime.fromisoformat(manifest["cut_off"]).astimezone(paris).date())
people = {p["practitioner"]: p for p in rows["enrolments"] if p["go_live"] <= today}
for t in sorted(rows["traces"], key=lambda t: t.get("revision", 0)):
    mine = t["situation"] == people.get(t["rpps"], {}).get("situation")
    real = t["environment"] == "production" and not t["test_identity"]
    if mine and real and t["at"] <= manifest["cut_off"] and t["kind"] == "PRESCRIPTION":
        subjects[t["subject"]] = t  # the highest revision comes last
    elif mine and real and t["at"] <= manifest["cut_off"] and t["initiator"] == "prescriber":
        calls[t["operation"]].append(t["outcome"])
numbers = {(t["number"], t["rpps"]): t for t in subjects.values() if t["digital"]}
for t in subjects.values():
    first = numbers.get((t["after"], t["rpps"]), {})  # with this paper, a single document
    act = t["act"] or first.get("act") or (first or t)["subject"]
    types = {"medication" if f == "device" or t["digital"] else f for f in t["families"]}
    day = str(datetime.fromisoformat(t["issued_at"]).astimezone(paris).date())
    unit = day, act, t["registration"] == "registered"
    documents[t["rpps"]] += [unit] * (len(types) - bool(first))
rows["volumes"].sort(key=lambda v: v["recorded_at"])
said = {(v["practitioner"], v["day"]): v["documents"] for v in rows["volumes"]}
for who, p in people.items():
    count, left, acts = Counter(d for d, _, _ in documents[who]), p["withdrawn_on"] or "9999", {}
    days = [d for w, d in said if w == who and p["go_live"] <= d and (d < left or left > today)]
    missing = sum(max(0, said[who, day] - count[day]) for day in days)
    window = [(act, good) for day, act, good in documents[who] if day >= p["go_live"]]
    for act, good in window:
        acts[act] = good and acts.get(act, True)
    each = (sum(good for _, good in window), len(window) + missing)
    both = each, (sum(acts.values()), len(acts) + missing)
    rate = min(both, key=lambda pair: pair[0] / pair[1]) if each[1] else each
    print(f"C1 PS {p['label']}: {rate[0]}/{rate[1]}")
    verdicts += [0 < rate[1] <= 2 * rate[0]] if left > today else []
state = {True: "met", False: "not_met", None: "not_assessable"}
print("C1:", state[all(verdicts) if verdicts else None])
made = [outcome == "registered" for outcome in calls["create"]]
print("C2:", state[10 * sum(made) >= 7 * len(made) if made else None], f"{sum(made)}/{len(made)}")
used = [set(calls[name]) for name in ("create", "consult", "search") if calls[name]]
good = all(outcomes & {"registered", "found", "absent", "listed"} for outcomes in used)
last = {e["data"]["id"]: e["data"] for e in rows["events"] if e["kind"] == "anomaly"}.values()
good &= not any(a["blocking"] and a["origin"] == "software" and not a["closed_on"] for a in last)
print("C3:", state[None if good and len(used) < 3 else good])

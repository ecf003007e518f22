"""Check the chains of an export (``check_export.py EXPORT [KEY]``) and recompute C1 to C3, STRICT.

KEY is the public key that it is signed with, for openssl. Exit code 1 names what does not hold.
"""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

folder, key, faults, verdicts, subjects = Path(sys.argv[1]), sys.argv[2:3], [], [], {}
rows, calls, documents = defaultdict(list), defaultdict(list), defaultdict(list)
manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
begun = json.loads((folder / "checkpoint.json").read_bytes()) if manifest["checkpoint"] else {}
for path in [folder / "manifest.json"] * len(key) + [folder / "checkpoint.json"] * bool(begun):
    verify = ["openssl", "pkeyutl", "-verify", "-rawin", "-in", path, "-sigfile", f"{path}.sig"]
    if subprocess.call([*verify, "-pubin", "-inkey", *key]):
        faults.append(f"{path.name}: not signed with the key, or no key was given")
starts = {s["id"]: f"segment\n{s['id']}\n{s['previous']}" for s in manifest["segments"]}
newest = {name: (0, sha256(start.encode()).hexdigest()) for name, start in starts.items()}
newest |= {s["segment"]: (s["position"], s["hash"]) for s in begun.get("starts", [])}
hashes = {"0" * 64, *begun.get("joints", [])}
for number, line in enumerate((folder / "rows.jsonl").read_bytes().splitlines(), 1):
    try:
        row = json.loads(line)
        section, place, (before, last) = row["segment"], row["position"], newest[row["segment"]]
        digest = sha256(f"{last}\n{row['body']}".encode()).hexdigest()
        if (place, row["hash"]) != (before + 1, digest):
            faults.append(f"{section}/{place}: changed, or a row before it was removed or inserted")
        newest[section] = place, row["hash"]
        hashes.add(row["hash"])
        rows["traces" if "-" in section else section].append(json.loads(row["body"]))
    except (ValueError, KeyError, TypeError):
        faults.append(f"line {number}: not a row of a segment of the manifest")
for s in manifest["segments"]:
    head = s["head"] or {"position": 0, "hash": newest[s["id"]][1]}
    if newest[s["id"]] != (head["position"], head["hash"]) or s["previous"] not in hashes:
        faults.append(f"{s['id']}/{head['position']}: the rows do not lead to this head")
if faults:
    sys.exit("\n".join(faults))
print("The chains hold.", "C1 to C3 are of what a purge left." if begun else "")
today = str(datetime.fromisoformat(manifest["cut_off"]).astimezone(ZoneInfo("Europe/Paris")).date())
people = {p["practitioner"]: p for p in rows["enrolments"]}  # the newest stands
for t in sorted(rows["traces"], key=lambda t: t.get("revision", 0)):
    mine = t["situation"] == people.get(t["rpps"], {}).get("situation")
    real = t["environment"] == "production" and not t["test_identity"]
    if mine and real and t["at"] <= manifest["cut_off"] and t["kind"] == "PRESCRIPTION":
        subjects[t["subject"]] = t  # the highest revision comes last
    elif mine and real and t["at"] <= manifest["cut_off"] and t["initiator"] == "prescriber":
        calls[t["operation"]].append(t["outcome"])
numbers = {(t["number"], t["rpps"]): t for t in subjects.values() if t["digital"]}
for t in subjects.values():
    old = numbers.get((t["after"], t["rpps"]), {})  # with this paper, a single document
    act = t["act"] or old.get("act") or (old or t)["subject"]
    types = {"medication" if f == "device" or t["digital"] else f for f in t["families"]}
    day = str(datetime.fromisoformat(t["issued_at"]).astimezone(ZoneInfo("Europe/Paris")).date())
    unit = day, act, t["registration"] != "registered"
    documents[t["rpps"]] += [unit] * (len(types) - bool(old))
said = {(v["practitioner"], v["day"]): v["documents"] for v in rows["volumes"]}
for who, p in [(who, p) for who, p in people.items() if p["go_live"] <= today]:
    count, left = Counter(d for d, _, _ in documents[who]), p["withdrawn_on"] or "9999"
    days = [d for w, d in said if w == who and p["go_live"] <= d and (d < left or left > today)]
    missing = sum(max(0, said[who, day] - count[day]) for day in days)
    window = sorted((bad, act) for day, act, bad in documents[who] if day >= p["go_live"])
    each = [bad for bad, _ in window], [*{act: bad for bad, act in window}.values()]
    rate = min(((x.count(False), len(x) + missing) for x in each), key=lambda r: r[0] / (r[1] or 1))
    print(f"C1 PS {p['label']}: {rate[0]}/{rate[1]}")
    verdicts += [0 < rate[1] <= 2 * rate[0]] if left > today else []
state = {True: "met", False: "not_met", None: "not_assessable"}
print("C1:", state[all(verdicts) if verdicts else None])
made = [outcome == "registered" for outcome in calls.get("create", [])]
print("C2:", state[10 * sum(made) >= 7 * len(made) if made else None], f"{sum(made)}/{len(made)}")
good = all({*each} & {"registered", "found", "absent", "listed"} for each in calls.values())
last = {e["data"]["id"]: e["data"] for e in rows["events"] if e["kind"] == "anomaly"}.values()
good &= not any(a["blocking"] and a["origin"] == "software" and not a["closed_on"] for a in last)
print("C3:", state[None if good and len(calls) < 3 else good])

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Is this bill of materials a valid SPDX 2.3 document, and does it tell the truth?

  check_spdx.py SBOM MANIFEST IMAGE-DIR

What must be there, and in which form, is clauses 6 to 11 of the specification; the
licence expressions are held against the grammar of annex D.
"""
import hashlib
import json
import re
import sys

ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+$")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
PURPOSES = {"APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING-SYSTEM", "DEVICE", "FIRMWARE", "SOURCE", "ARCHIVE",
            "FILE", "INSTALL", "OTHER"}
RELATIONS = {"DESCRIBES", "CONTAINS", "COPY_OF", "GENERATED_FROM"}
bad = []


def must(cond, text):
    if not cond:
        bad.append(text)


def expression(text, own):
    """Annex D: names, WITH, AND, OR, brackets."""
    if text in ("NOASSERTION", "NONE"):
        return True
    tokens = re.findall(r"[()]|[^\s()]+", text)

    def simple(i):
        if i < len(tokens) and tokens[i] == "(":
            i = compound(i + 1)
            return i + 1 if i is not None and i < len(tokens) and tokens[i] == ")" else None
        if i >= len(tokens) or not re.match(r"[A-Za-z0-9][A-Za-z0-9.-]*\+?$", tokens[i]) or tokens[i] in ("AND", "OR", "WITH"):
            return None
        if tokens[i].startswith("LicenseRef-") and tokens[i] not in own:
            return None
        i += 1
        if i < len(tokens) and tokens[i] == "WITH":
            return i + 2 if i + 1 < len(tokens) and re.match(r"[A-Za-z0-9.-]+$", tokens[i + 1]) else None
        return i

    def compound(i):
        i = simple(i)
        while i is not None and i < len(tokens) and tokens[i] in ("AND", "OR"):
            i = simple(i + 1)
        return i

    return bool(tokens) and compound(0) == len(tokens)


def manifest(path):
    m = {"input": {}, "output": {}, "package": {}, "owner": {}, "built-using": set()}
    for line in open(path, encoding="ascii"):
        w = line.split()
        if w[0] == "input":
            m["input"][w[2]] = w[1]
        elif w[0] == "output":
            m["output"][w[1]] = w[2]
        elif w[0] == "package":
            m["package"][w[1]] = w[2]
        elif w[0] == "owner":
            m["owner"][w[2]] = w[1]
        elif w[0] == "built-using":
            m["built-using"].add((w[1], w[2], w[3]))
    return m


def document(doc):
    must(doc.get("spdxVersion") == "SPDX-2.3", "spdxVersion")
    must(doc.get("dataLicense") == "CC0-1.0", "dataLicense")
    must(doc.get("SPDXID") == "SPDXRef-DOCUMENT", "SPDXID of the document")
    must(doc.get("name"), "name of the document")
    space = doc.get("documentNamespace", "")
    must(re.match(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", space), f"namespace {space}")
    info = doc.get("creationInfo", {})
    must(TIME.match(info.get("created", "")), "created")
    must(info.get("creators") and all(re.match("(Tool|Person|Organization): .", c) for c in info["creators"]), "creators")
    own = {x["licenseId"] for x in doc.get("hasExtractedLicensingInfos", [])}
    for x in doc.get("hasExtractedLicensingInfos", []):
        must(re.match(r"LicenseRef-[A-Za-z0-9.-]+$", x["licenseId"]) and x.get("extractedText") and x.get("name"), f"licence {x}")
    ids = ["SPDXRef-DOCUMENT"]
    for p in doc["packages"]:
        ids.append(p.get("SPDXID", ""))
        must(ID.match(p.get("SPDXID", "")), f"identifier {p.get('SPDXID')}")
        must(p.get("name"), f"{p.get('SPDXID')}: no name")
        must(p.get("downloadLocation"), f"{p['name']}: no downloadLocation")
        must(p.get("filesAnalyzed") is False, f"{p['name']}: filesAnalyzed")
        for key in ("licenseConcluded", "licenseDeclared"):
            must(expression(p.get(key, ""), own), f"{p['name']}: {key} '{p.get(key)}'")
        must(p.get("copyrightText"), f"{p['name']}: copyrightText")
        must(p.get("primaryPackagePurpose") in PURPOSES, f"{p['name']}: purpose")
        for c in p.get("checksums", []):
            must(c["algorithm"] == "SHA256" and re.match("[0-9a-f]{64}$", c["checksumValue"]), f"{p['name']}: checksum {c}")
        for r in p.get("externalRefs", []):
            must(r["referenceCategory"] == "PACKAGE-MANAGER" and r["referenceType"] == "purl"
                 and re.match(r"pkg:deb/[a-z]+/[a-z0-9.+-]+@[A-Za-z0-9.%~_-]+\?arch=(amd64|all|source)$", r["referenceLocator"]),
                 f"{p['name']}: {r}")
    must(len(ids) == len(set(ids)), "an identifier stands twice: " + str({i for i in ids if ids.count(i) > 1}))
    for r in doc["relationships"]:
        must(r["relationshipType"] in RELATIONS, f"relation {r}")
        must(r["spdxElementId"] in ids and r["relatedSpdxElement"] in ids, f"relation of what is not there: {r}")
    must(any(r["relationshipType"] == "DESCRIBES" and r["spdxElementId"] == "SPDXRef-DOCUMENT" for r in doc["relationships"]),
         "it describes nothing")


def truth(doc, m, image):
    by = {p["SPDXID"]: p for p in doc["packages"]}
    files = {p["name"]: p for p in doc["packages"] if p["primaryPackagePurpose"] == "FILE"}
    debs = {p["name"]: p for p in doc["packages"] if p["primaryPackagePurpose"] == "LIBRARY"}
    for name in ("kernel", "rootfs"):
        sha = hashlib.sha256(open(f"{image}/{name}", "rb").read()).hexdigest()
        must(sha == m["output"][name], f"the manifest's sum of {name}")
        must(files[name]["checksums"][0]["checksumValue"] == sha, f"sum of {name}")
    must(set(files) - {"kernel", "rootfs"} == set(m["input"]), "other files than the manifest's inputs")
    for path, sha in m["input"].items():
        must(files[path]["checksums"][0]["checksumValue"] == sha, f"sum of {path}")
    must({n: p["versionInfo"] for n, p in debs.items()} == m["package"], "other packages than the manifest's")
    rel = {(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in doc["relationships"]}
    owner = {by[b]["name"]: by[a]["name"] for a, t, b in rel if t == "CONTAINS" and a.startswith("SPDXRef-Package-")}
    must(owner == m["owner"], f"files of other packages: {owner}")
    used = {(by[a]["name"], by[b]["name"], by[b]["versionInfo"]) for a, t, b in rel if t == "GENERATED_FROM"}
    must(used == m["built-using"], f"other sources: {used}")
    must(any(s == "qemu" for _, s, _ in used), "QEMU's source is not in it")
    known = [n for n, p in debs.items() if p["licenseDeclared"] != "NOASSERTION"]
    must({"libc6", "zlib1g", "xen-stubdom-utils"} <= set(known), f"licences are known of {known} only")


def main():
    doc = json.load(open(sys.argv[1], encoding="utf-8"))
    document(doc)
    truth(doc, manifest(sys.argv[2]), sys.argv[3])
    for text in bad:
        print(text)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())

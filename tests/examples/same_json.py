#!/usr/bin/python3
"""same_json.py EXPECTED GOT: compares two JSON files value by value and shows each that differs."""
import json
import sys

expected, got = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
if type(expected) is not type(got):
    sys.exit(f"expected {expected}\ngot      {got}")
pairs = [(expected, got)] if isinstance(expected, dict) else list(zip(expected, got))
bad = 0 if isinstance(expected, dict) or len(expected) == len(got) else 1
for one, other in pairs:
    if list(one) != list(other):
        print(f"expected the members {list(one)}\ngot                  {list(other)}")
        bad = 1
    for name in one:
        if one[name] != other.get(name):
            print(f"{one.get('currency', '')} {name}: expected {one[name]}, got {other.get(name)}")
            bad = 1
sys.exit(bad)

#!/usr/bin/env python3
"""Verifies many receipts in one process: a line {"receipt": "…", "args": […]} in, a line {"ok": …, "failures": […]} out.

`args` are the options of quorate_verify.py without FILE.
"""
import functools, json, sys
from quorate_verify import judge, options_of

options = functools.lru_cache(1000)(lambda *args: options_of([*args, '-']))
for line in map(json.loads, sys.stdin.buffer):
    failures = judge(line['receipt'].encode('utf-8', 'surrogatepass'), options(*line['args']))['failures']
    print(json.dumps({'ok': not failures, 'failures': failures}), flush=True)
